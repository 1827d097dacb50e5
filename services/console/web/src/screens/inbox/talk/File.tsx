import type { ReactNode } from 'react';
import type { Attachment } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon, type IconName } from '../../../parts/Icon';
import { size, within } from '../../../parts/size';
import { sentence } from '../../../parts/words';
import { kindOf } from '../kinds';

// Pictures and videos are shown within so many pixels a side, which previews are made for.
const side = 240;
const frame = { width: side, height: side * 0.75 };

/** File is a file of a message: shown where that is safe, else to be saved. What is shown has its room before it is loaded. */
export function File({ file: a }: { file: Attachment }) {
  const name = a.name || kindOf(a.voice ? 'voice' : a.type);
  if (a.state === 'failed') {
    return (
      <div className="fl">
        <Label icon="alert" name={name} tone="er">
          {(a.error as { detail?: string } | undefined)?.detail ?? i18n._('The file could not be fetched.')}
        </Label>
      </div>
    );
  }
  if (a.state === 'pending' || !a.url) {
    return (
      <div className="fl">
        <Label name={name}>{i18n._('is being fetched')}</Label>
      </div>
    );
  }
  const url = own(a.url, a.id);
  if (a.state === 'remote') return <Elsewhere url={url} name={name} until={a.until} />;
  const lie = (a.warning as { detail?: string } | undefined)?.detail;
  if (lie) return <Lying url={url} name={name} lie={lie} />;
  if ((a.type === 'image' || a.type === 'sticker') && a.preview_url) {
    return (
      <a className="pic" href={url} target="_blank" rel="noopener">
        <img src={own(a.preview_url, `${a.id}/preview`)} {...within(side, a.width, a.height)} alt={a.name || i18n._('Picture')} loading="lazy" />
      </a>
    );
  }
  if (a.type === 'audio') {
    // Nothing is loaded before somebody plays it.
    return <audio className="audio" controls preload="none" src={url} aria-label={name} />;
  }
  if (a.type === 'video') {
    return <video className="pic" controls preload="none" src={url} poster={a.preview_url && own(a.preview_url, `${a.id}/preview`)} {...(within(side, a.width, a.height) ?? frame)} aria-label={name} />;
  }
  return (
    <a className="fl" href={url} download={a.name || true} rel="noopener">
      <Label icon="doc" name={name}>
        {kindOf(a.type)}
        {a.size !== undefined && ` · ${size(a.size)}`}
      </Label>
    </a>
  );
}

/** Label names a file, and says what is to be said of it. Without an icon the file is still on its way. */
function Label({ icon, name, tone = 'dim', children }: { icon?: IconName; name: string; tone?: 'dim' | 'er' | 'wn'; children: ReactNode }) {
  return (
    <>
      <span className={icon ? 'ic' : 'ic sk'}>{icon && <Icon name={icon} />}</span>
      <span className="min-w-0">
        <b className="block cut">
          <bdi>{name}</bdi>
        </b>
        <span className={`t2 ${tone}`}>{children}</span>
      </span>
    </>
  );
}

/** Elsewhere is a file that nobody may keep: it is shown where the provider has it, on a page of its own, until it is over. */
function Elsewhere({ url, name, until }: { url: string; name: string; until: string | undefined }) {
  const over = until !== undefined && new Date(until).getTime() <= Date.now();
  const what = (
    <Label icon="eye" name={name}>
      {over ? i18n._('is there no longer') : i18n._('is shown at the provider, and not kept')}
    </Label>
  );
  if (over) return <div className="fl">{what}</div>;
  return (
    <a className="fl" href={url} target="_blank" rel="noopener noreferrer">
      {what}
    </a>
  );
}

/** Lying is a file that is not what it was said to be: it is for saving, and never shown. */
function Lying({ url, name, lie }: { url: string; name: string; lie: string }) {
  return (
    <a className="fl" href={url} download={name} rel="noopener">
      <Label icon="alert" name={name} tone="wn">
        {sentence(lie)}
      </Label>
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
