import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, type Conversation } from '../../../api/client';
import { changeDraft } from '../../../live/drafts';
import { outbox, type Pending } from '../../../live/outbox';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { Note } from '../../../parts/Note';
import { PlainText } from '../../../parts/PlainText';
import { clock } from '../../../parts/time';
import { sentence } from '../../../parts/words';
import { partName } from '../composer/parts';
import { again, partOf } from './again';

/** PendingRow is a message that was just written: it stands there at once, and says what it waits for. */
export function PendingRow({ pending: p, conversation: c }: { pending: Pending; conversation: Conversation }) {
  const note = p.input.direction === 'note';
  const part = partOf(p.input);
  const words =
    p.state === 'sending' ? i18n._('sending') : p.problem?.status === 0 ? i18n._('waiting for the network') : p.problem?.status === 401 ? i18n._('waiting for your sign-in') : i18n._('waiting, goes by itself');
  return (
    <div className={`m ${note ? 'nt' : 'out'} pending`} aria-label={p.state === 'refused' ? i18n._('Not sent') : words}>
      <div className="bx">
        {p.files.map((f) => (
          <div key={f.id} className="fl">
            <span className="ic">
              <Icon name="doc" />
            </span>
            <bdi className="cut">{f.name}</bdi>
          </div>
        ))}
        {p.input.text && <PlainText text={p.input.text} />}
        {part && <b className="block">{partName(part)}</b>}
        {p.input.reaction && <span className="t5">{p.input.reaction.emoji}</span>}
        <div className="ft">
          {p.state !== 'refused' && <span>{words}</span>}
          <time dateTime={p.at}>{clock(p.at)}</time>
        </div>
      </div>
      <span className={`st ${p.state === 'refused' ? 'failed' : ''}`}>
        <Icon name={p.state === 'refused' ? 'alert' : 'clock'} />
      </span>
      {p.state === 'refused' && <Refused pending={p} conversation={c} />}
    </div>
  );
}

/** Refused says why the server did not take a message, and where the text can go instead. */
function Refused({ pending: p, conversation: c }: { pending: Pending; conversation: Conversation }) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const code = p.problem?.code;
  const open = p.problem?.openConversation;
  const reopen = async () => {
    await api.POST('/v1/conversations/{id}/reopen', { params: { path: { id: c.id } } });
    await cache.invalidateQueries({ queryKey: ['conversation', c.id] });
    outbox.retry(p.key);
  };
  return (
    <Note tone="bad" icon="alert" className="fix" role="alert">
      <p>
        <b>{i18n._('Not sent.')}</b> {code === 'conversation_closed' ? i18n._('This conversation is closed.') : <bdi>{sentence(p.problem?.text ?? '')}</bdi>}
      </p>
      <p className="row wrap gap-4">
        {code === 'conversation_closed' && open && (
          <button
            type="button"
            className="btn link t2"
            onClick={() => {
              outbox.retry(p.key, { conversation: open });
              void navigate({ to: '/inbox/$id', params: { id: open }, search: true });
            }}
          >
            {i18n._('Send in the open one')}
          </button>
        )}
        {code === 'conversation_closed' && !open && (
          <button type="button" className="btn link t2" onClick={() => void reopen().catch(() => undefined)}>
            {i18n._('Reopen and send')}
          </button>
        )}
        {code !== 'conversation_closed' && (
          <button type="button" className="btn link t2" onClick={() => outbox.retry(p.key)}>
            {i18n._('Try again')}
          </button>
        )}
        {p.input.direction !== 'note' && p.input.text && (
          <button type="button" className="btn link t2" onClick={() => outbox.retry(p.key, { input: { direction: 'note', text: p.input.text } })}>
            {i18n._('Save as note')}
          </button>
        )}
        {!p.input.reaction && (
          <button
            type="button"
            className="btn link t2"
            onClick={() => {
              outbox.discard(p.key);
              changeDraft(c.id, (d) => again(p, d));
            }}
          >
            {i18n._('Edit')}
          </button>
        )}
        <button type="button" className="btn link t2" onClick={() => outbox.discard(p.key)}>
          {i18n._('Discard')}
        </button>
      </p>
    </Note>
  );
}
