import type { ReactNode } from 'react';
import { faultOf } from '../api/fault';
import { i18n } from '../locales/i18n';
import { copy } from './copy';
import { Icon, type IconName } from './Icon';
import { worded } from './words';

/** Note is a box that says what happened, what is kept and what to do next. */
export function Note({ tone, icon, role, className, children }: { tone?: 'warn' | 'bad' | 'ok' | 'acc'; icon: IconName; role?: 'alert' | 'status'; className?: string; children: ReactNode }) {
  return (
    <div className={`note${tone ? ` ${tone}` : ''}${className ? ` ${className}` : ''}`} role={role}>
      <Icon name={icon} />
      <div className="sp">{children}</div>
    </div>
  );
}

/** Trouble is a part of the page that could not be read: what it means, a way to try again, and the id that leads to the log. */
export function Trouble({ error, again }: { error: unknown; again: () => void }) {
  const f = faultOf(error);
  const id = f.problem.request_id;
  return (
    <div className="empty" role="alert">
      <Icon name={f.status === 403 ? 'lock' : 'alert'} />
      <h2>{f.status === 403 ? i18n._('You may not see this') : f.status === 404 ? i18n._('Not found') : i18n._('This part is not answering')}</h2>
      <p>{worded(f)}</p>
      <div className="row wrap">
        <button type="button" className="btn" onClick={again}>
          {i18n._('Try again')}
        </button>
        {id && (
          <button type="button" className="btn ghost" onClick={() => void copy(id)}>
            {i18n._('Copy request id')}
          </button>
        )}
      </div>
    </div>
  );
}
