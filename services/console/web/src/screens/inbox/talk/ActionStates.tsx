import type { Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { Note } from '../../../parts/Note';
import { PlainText } from '../../../parts/PlainText';
import { clock, full } from '../../../parts/time';
import { reason, type StatusError, statusIcon, statusName } from './status';

type Action = NonNullable<Message['actions']>[number];

/** ActionStates says what is being done to a message, what was not done and why, and how it was answered privately. */
export function ActionStates({ message: m }: { message: Message }) {
  return m.actions?.filter((a, n, all) => shown(a, all.slice(n + 1))).map((a) => <State key={a.id} action={a} />);
}

/** shown: an action that came to its end is seen in the message itself; one that failed is told until the same was tried again. */
function shown(a: Action, later: Action[]): boolean {
  if (a.kind === 'private_reply') return true;
  return (a.status === 'queued' || a.status === 'failed' || a.status === 'unknown') && !later.some((x) => x.kind === a.kind);
}

function State({ action: a }: { action: Action }) {
  const by = a.by.name ?? '';
  if (a.status === 'failed' || a.status === 'unknown') {
    const unknown = a.status === 'unknown';
    return (
      <Note tone={unknown ? 'warn' : 'bad'} icon={unknown ? 'help' : 'alert'} className="fix">
        <b>{unknown ? words(a.kind).unknown : words(a.kind).failed}</b> <bdi>{a.error ? reason(a.error as StatusError) : ''}</bdi>
        {a.kind === 'private_reply' && a.text && <PlainText text={a.text} />}
      </Note>
    );
  }
  if (a.kind === 'private_reply') {
    return (
      <Note icon="lock" className="fix">
        <span className="t2 dim">
          {i18n._('Answered privately by {by}', { by })} <time title={full(a.created_at)}>{clock(a.created_at)}</time> <Icon name={statusIcon(a.status)} small />
          <span className="sr">{statusName(a.status)}</span>
        </span>
        {a.text && <PlainText text={a.text} />}
      </Note>
    );
  }
  return (
    <p className="fix t2 dim" role="status">
      <Icon name="clock" small /> {words(a.kind).queued}
    </p>
  );
}

function words(kind: Action['kind']): { queued: string; failed: string; unknown: string } {
  switch (kind) {
    case 'edit':
      return { queued: i18n._('is being changed'), failed: i18n._('Not changed.'), unknown: i18n._('It is not known whether it was changed.') };
    case 'unsend':
      return { queued: i18n._('is being taken back'), failed: i18n._('Not taken back.'), unknown: i18n._('It is not known whether it was taken back.') };
    case 'hide':
      return { queued: i18n._('is being hidden'), failed: i18n._('Not hidden.'), unknown: i18n._('It is not known whether it was hidden.') };
    case 'unhide':
      return { queued: i18n._('is being shown again'), failed: i18n._('Not shown again.'), unknown: i18n._('It is not known whether it is shown again.') };
    case 'private_reply':
      return { queued: i18n._('is being answered'), failed: i18n._('The private answer was not sent.'), unknown: i18n._('It is not known whether the private answer arrived.') };
  }
}
