import type { Attachment, Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { size } from '../../../parts/size';
import { sentence } from '../../../parts/words';
import { kindOf } from '../kinds';

/** Content is what a message carries besides its text. */
export function Content({ message: m }: { message: Message }) {
  const place = m.location as { latitude?: number; longitude?: number; name?: string; address?: string } | null | undefined;
  const choice = m.interactive as Interactive | null | undefined;
  const template = m.template as Template | null | undefined;
  const reaction = m.reaction as { emoji?: string } | null | undefined;
  const pressed = m.interaction as { title?: string } | null | undefined;
  const nothing = !m.text && !m.html && m.attachments.length === 0 && !place && !choice && !pressed && !template && !reaction?.emoji && !m.contacts?.length;
  return (
    <>
      {m.attachments.map((a) => (
        <File key={a.id} file={a} />
      ))}
      {m.html && <iframe className="html" sandbox="" title={i18n._('Formatted message')} srcDoc={framed(m.html)} />}
      {place && (
        <div className="fl">
          <span className="ic">
            <Icon name="pin" />
          </span>
          <span>
            <b className="block">
              <bdi>{place.name ?? kindOf('location')}</bdi>
            </b>
            <bdi className="t2 dim">{place.address ?? `${place.latitude}, ${place.longitude}`}</bdi>
          </span>
        </div>
      )}
      {m.contacts?.map((c, n) => {
        const card = c as { name?: string; first_name?: string; phones?: string[] };
        return (
          <div key={n} className="fl">
            <span className="ic">
              <Icon name="user" />
            </span>
            <span>
              <b className="block">
                <bdi>{card.name ?? card.first_name}</bdi>
              </b>
              <bdi className="t2 dim">{card.phones?.join(', ')}</bdi>
            </span>
          </div>
        );
      })}
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
      {reaction?.emoji && <span className="t5">{reaction.emoji}</span>}
      {pressed?.title && <div dir="auto">{pressed.title}</div>}
      {nothing && m.direction !== 'note' && <i className="faint">[{kindOf(m.type)}]</i>}
    </>
  );
}

interface Choice {
  title?: string;
  description?: string;
}

interface Interactive {
  kind?: string;
  header?: string;
  body?: string;
  footer?: string;
  button?: string;
  url?: string;
  buttons?: Choice[] | null;
  sections?: { title?: string; rows?: Choice[] | null }[] | null;
}

interface Template {
  name?: string;
  language?: string;
  components?: { parameters?: { text?: string; payload?: string; coupon_code?: string }[] | null }[] | null;
}

/** values are what a template was filled with, as far as it is text. */
const values = (t: Template) => (t.components ?? []).flatMap((c) => (c.parameters ?? []).flatMap((p) => p.text ?? p.payload ?? p.coupon_code ?? []));

/** Choices stand below the text of a message: what can be picked from it. */
export function Choices({ message: m }: { message: Message }) {
  const choice = m.interactive as Interactive | null | undefined;
  if (!choice) return null;
  const rows = [...(choice.buttons ?? []), ...(choice.sections ?? []).flatMap((s) => [...(s.title ? [{ title: s.title, heading: true }] : []), ...(s.rows ?? [])])];
  return (
    <div dir="auto">
      {choice.footer && <span className="t2 faint block">{choice.footer}</span>}
      {(rows.length > 0 || choice.button) && (
        <span className="tmplb">
          {choice.button && <span title={choice.url}>{choice.button}</span>}
          {rows.map((r, n) => (
            <span key={n} className={'heading' in r ? 'hd' : undefined}>
              {r.title}
              {'description' in r && r.description && <span className="t2 dim block">{r.description}</span>}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

function File({ file: a }: { file: Attachment }) {
  const name = a.name || kindOf(a.type);
  if (a.state === 'failed') {
    return (
      <div className="fl">
        <span className="ic">
          <Icon name="alert" />
        </span>
        <span>
          <b className="block">
            <bdi>{name}</bdi>
          </b>
          <span className="t2 er">{(a.error as { detail?: string } | undefined)?.detail ?? i18n._('The file could not be fetched.')}</span>
        </span>
      </div>
    );
  }
  if (a.state === 'pending' || !a.url) {
    return (
      <div className="fl">
        <span className="ic sk" />
        <span>
          <b className="block">
            <bdi>{name}</bdi>
          </b>
          <span className="t2 dim">{i18n._('is being fetched')}</span>
        </span>
      </div>
    );
  }
  const url = own(a.url, a.id);
  const lie = (a.warning as { detail?: string } | undefined)?.detail;
  if (lie) return <Lying url={url} name={name} lie={lie} />;
  if ((a.type === 'image' || a.type === 'sticker') && a.preview_url) {
    return (
      <a className="pic" href={url} target="_blank" rel="noopener">
        <img src={own(a.preview_url, `${a.id}/preview`)} width={a.width} height={a.height} alt={a.name || i18n._('Picture')} loading="lazy" />
      </a>
    );
  }
  if (a.type === 'audio' || a.type === 'voice') {
    // Nothing is loaded before somebody plays it.
    return <audio className="audio" controls preload="none" src={url} aria-label={name} />;
  }
  if (a.type === 'video') {
    return <video className="pic" controls preload="none" src={url} poster={a.preview_url && own(a.preview_url, `${a.id}/preview`)} width={240} height={180} aria-label={name} />;
  }
  return (
    <a className="fl" href={url} download={a.name || true} rel="noopener">
      <span className="ic">
        <Icon name="doc" />
      </span>
      <span className="min-w-0">
        <b className="block cut">
          <bdi>{name}</bdi>
        </b>
        <span className="t2 dim">
          {kindOf(a.type)}
          {a.size !== undefined && ` · ${size(a.size)}`}
        </span>
      </span>
    </a>
  );
}

/** Lying is a file that is not what it was said to be: it is for saving, and never shown. */
function Lying({ url, name, lie }: { url: string; name: string; lie: string }) {
  return (
    <a className="fl" href={url} download={name} rel="noopener">
      <span className="ic">
        <Icon name="alert" />
      </span>
      <span className="min-w-0">
        <b className="block cut">
          <bdi>{name}</bdi>
        </b>
        <span className="t2 wn">{sentence(lie)}</span>
      </span>
    </a>
  );
}

/** own is the path of a file at this site, whatever the public URL is called. */
function own(url: string, rest: string): string {
  try {
    const u = new URL(url, location.origin);
    return u.pathname.startsWith('/v1/attachments/') ? u.pathname + u.search : `/v1/attachments/${rest}`;
  } catch {
    return `/v1/attachments/${rest}`;
  }
}

/** framed is a page of its own for a message's HTML: without scripts, without network, in a sandbox of another origin. */
function framed(html: string): string {
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><base target="_blank"><body dir="auto">${html}`;
}
