import type { DraftFile } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { size } from '../../../parts/size';
import { detach } from './upload';

export function Files({ conversation, files }: { conversation: string; files: DraftFile[] }) {
  if (files.length === 0) return null;
  return (
    <ul className="atts" aria-label={i18n._('Attached files')}>
      {files.map((f) => (
        <li key={f.key} className="att">
          <span className="th">{f.preview ? <img src={f.preview} alt="" width={28} height={28} /> : <Icon name="doc" />}</span>
          <span className="min-w-0">
            <bdi className="cut block">{f.name}</bdi>
            {f.error ? (
              <span className="er" role="alert">
                {f.error}
              </span>
            ) : f.id ? (
              <>
                <span className="faint">
                  {size(f.size)} · {i18n._('ready')}
                </span>
                {f.really && <span className="wn block">{i18n._('It is {type}, whatever its name says.', { type: f.really })}</span>}
              </>
            ) : (
              <progress className="bar" value={f.progress} aria-label={i18n._('Uploading {name}', { name: f.name })} />
            )}
          </span>
          <button type="button" className="ib s" aria-label={i18n._('Remove {name}', { name: f.name })} title={i18n._('Remove')} onClick={() => detach(conversation, f.key)}>
            <Icon name="x" small />
          </button>
        </li>
      ))}
    </ul>
  );
}
