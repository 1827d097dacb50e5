import type { Attachment, Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { size } from '../../../parts/size';
import { kindOf } from '../kinds';

/** Content is what a message carries besides its text. */
export function Content({ message: m }: { message: Message }) {
  const place = m.location as { latitude?: number; longitude?: number; name?: string; address?: string } | null | undefined;
  const choice = m.interactive as { header?: string; body?: string; footer?: string; buttons?: { title?: string }[] | null } | null | undefined;
  const pressed = m.interaction as { title?: string } | null | undefined;
  const nothing = !m.text && !m.html && m.attachments.length === 0 && !place && !choice && !pressed && !m.contacts?.length;
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
          {choice.footer && <span className="t2 faint block">{choice.footer}</span>}
          {choice.buttons && choice.buttons.length > 0 && (
            <span className="tmplb">
              {choice.buttons.map((b, n) => (
                <span key={n}>{b.title}</span>
              ))}
            </span>
          )}
        </div>
      )}
      {pressed?.title && <div dir="auto">{pressed.title}</div>}
      {nothing && m.direction !== 'note' && <i className="faint">[{kindOf(m.type)}]</i>}
    </>
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
