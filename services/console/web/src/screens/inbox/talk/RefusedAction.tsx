import type { Conversation } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Note } from '../../../parts/Note';
import { worded } from '../../../parts/words';
import type { Actions } from './actions';

/** RefusedAction says why what was clicked did not happen, what is true now, and asks once. */
export function RefusedAction({ actions, conversation: c }: { actions: Actions; conversation: Conversation }) {
  const r = actions.refused;
  if (!r || !r.what) return null;
  return (
    <Note tone="warn" icon="alert" role="alert" className="m-2">
      <p>
        <b>{worded(r.fault)}</b>{' '}
        {r.fault.status === 412 &&
          i18n._('It is now: {state}.', {
            state: [statusNow(c), c.assignee ? i18n._('held by {name}', { name: c.assignee.name }) : i18n._('held by nobody'), i18n._('priority {priority}', { priority: c.priority })].join(', '),
          })}
      </p>
      <div className="row wrap mt-1">
        {r.anyway && (
          <button type="button" className="btn s" onClick={r.anyway}>
            {i18n._('{what} all the same', { what: r.what })}
          </button>
        )}
        <button type="button" className="btn s ghost" onClick={actions.dismiss}>
          {r.anyway ? i18n._('Look first') : i18n._('Dismiss')}
        </button>
      </div>
    </Note>
  );
}

function statusNow(c: Conversation): string {
  return c.status === 'closed' ? i18n._('closed') : c.status === 'snoozed' ? i18n._('snoozed') : i18n._('open');
}
