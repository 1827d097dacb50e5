import type { ReactNode } from 'react';
import type { Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon, type IconName } from '../../../parts/Icon';
import { Outside } from '../../../parts/PlainText';
import { type Choice, choiceDetail, choiceIcon } from '../choices';
import { kindOf } from '../kinds';
import { File } from './File';
import { type Answers, answersOf, choiceOf, type Order, type Referral, type Template, values } from './said';

/** Content is what a message carries besides its text. */
export function Content({ message: m }: { message: Message }) {
  const place = m.location as { latitude?: number; longitude?: number; name?: string; address?: string; url?: string; live?: boolean } | null | undefined;
  const choice = m.interactive as Interactive | null | undefined;
  const template = m.template as Template | null | undefined;
  const reaction = m.reaction as { emoji?: string } | null | undefined;
  const pressed = m.interaction as Answers | null | undefined;
  const order = m.order as Order | null | undefined;
  const referral = m.referral as Referral | null | undefined;
  const nothing = !m.text && !m.html && m.attachments.length === 0 && !place && !choice && !pressed && !template && !reaction && !order && !m.sticker && !m.contacts?.length;
  return (
    <>
      {referral && (
        <Piece icon="link" title={referral.headline || i18n._('Came by an ad or a link')}>
          {referral.body || [referral.source, referral.code].filter(Boolean).join(' · ')} <Outside url={referral.url} />
        </Piece>
      )}
      {m.attachments.map((a) => (
        <File key={a.id} file={a} />
      ))}
      {m.html && <iframe className="html" sandbox="" title={i18n._('Formatted message')} srcDoc={framed(m.html)} />}
      {place && (
        <Piece icon="pin" title={place.name || (place.live ? i18n._('Live location') : kindOf('location'))}>
          {place.address || `${place.latitude}, ${place.longitude}`} <Outside url={place.url} />
        </Piece>
      )}
      {m.contacts?.map((c, n) => {
        const card = c as { name?: string; first_name?: string; org?: string; phones?: string[]; emails?: string[] };
        return (
          <Piece key={n} icon="user" title={card.name || card.first_name || kindOf('contact')}>
            {[card.org, ...(card.phones ?? []), ...(card.emails ?? [])].filter(Boolean).join(', ')}
          </Piece>
        );
      })}
      {m.sticker && m.attachments.length === 0 && (
        <Piece icon="smile" title={kindOf('sticker')}>
          {m.sticker.package_id}, {m.sticker.sticker_id}
        </Piece>
      )}
      {order && <Basket order={order} />}
      {choice && (
        <div dir="auto">
          {choice.header && <b className="block">{choice.header}</b>}
          {choice.body}
        </div>
      )}
      {template && (
        <div>
          <b className="block">
            {i18n._('Template')} <bdi className="mono">{template.name}</bdi> <span className="faint">{template.language}</span>
          </b>
          {values(template).map((v, n) => (
            <bdi key={n} className="block dim">
              {v}
            </bdi>
          ))}
        </div>
      )}
      {reaction && (reaction.emoji ? <span className="t5">{reaction.emoji}</span> : <i className="faint">{i18n._('Took the reaction back')}</i>)}
      {pressed && <Chosen answers={pressed} text={m.text} />}
      {nothing && m.direction !== 'note' && <i className="faint">[{kindOf(m.type)}]</i>}
    </>
  );
}

/** Piece is something with a name and a line about it, beside its icon. */
function Piece({ icon, title, children }: { icon: IconName; title: string; children: ReactNode }) {
  return (
    <div className="fl">
      <span className="ic">
        <Icon name={icon} />
      </span>
      <span className="min-w-0">
        <b className="block">
          <bdi>{title}</bdi>
        </b>
        <bdi className="t2 dim">{children}</bdi>
      </span>
    </div>
  );
}

/** Chosen is what a person picked, or filled in. */
function Chosen({ answers, text }: { answers: Answers; text: string | undefined }) {
  const words = choiceOf(answers);
  const rows = answersOf(answers);
  return (
    <div dir="auto">
      {words !== text && words}
      {answers.description && <span className="t2 dim block">{answers.description}</span>}
      {rows.map(([question, answer]) => (
        <span key={question} className="block">
          <bdi className="dim">{question}:</bdi> <bdi>{answer}</bdi>
        </span>
      ))}
      {words === '' && rows.length === 0 && !text && <i className="faint">[{kindOf('interactive')}]</i>}
    </div>
  );
}

/** Basket is what a person ordered. */
function Basket({ order: o }: { order: Order }) {
  return (
    <div>
      <b className="block">{kindOf('order')}</b>
      {(o.items ?? []).map((item, n) => (
        <span key={n} className="row gap-1">
          <bdi className="sp">
            {item.quantity} × {item.product_id}
          </bdi>
          <bdi className="dim nw">
            {item.price} {item.currency}
          </bdi>
        </span>
      ))}
      {o.note && <div dir="auto">{o.note}</div>}
    </div>
  );
}

interface Interactive {
  kind?: string;
  header?: string;
  body?: string;
  footer?: string;
  button?: string;
  url?: string;
  buttons?: Choice[] | null;
  sections?: { title?: string; description?: string; rows?: Choice[] | null }[] | null;
}

/** Choices stand below the text of a message: what can be picked from it. */
export function Choices({ message: m }: { message: Message }) {
  const choice = m.interactive as Interactive | null | undefined;
  if (!choice) return null;
  const rows = [...(choice.buttons ?? []), ...(choice.sections ?? []).flatMap((s) => [...(s.title || s.description ? [{ title: s.title, description: s.description, heading: true }] : []), ...(s.rows ?? [])])];
  return (
    <div dir="auto">
      {choice.footer && <span className="t2 faint block">{choice.footer}</span>}
      {(rows.length > 0 || choice.button) && (
        <span className="tmplb">
          {choice.button && <span title={choice.url}>{choice.button}</span>}
          {rows.map((r, n) => (
            <span key={n} className={'heading' in r ? 'hd' : undefined}>
              <Picked choice={r} />
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

/** Picked is one choice: its words, a sign of what it does, and where it leads. */
function Picked({ choice: c }: { choice: Choice }) {
  const icon = choiceIcon(c);
  const detail = choiceDetail(c);
  return (
    <>
      {icon && (
        <>
          <Icon name={icon} small />{' '}
        </>
      )}
      <bdi>{c.title}</bdi>
      {c.description && <span className="t2 dim block">{c.description}</span>}
      {detail && <bdi className="t2 dim block">{detail}</bdi>}
    </>
  );
}

/** framed is a page of its own for a message's HTML: without scripts, without network, in a sandbox of another origin. */
function framed(html: string): string {
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><base target="_blank"><body dir="auto">${html}`;
}
