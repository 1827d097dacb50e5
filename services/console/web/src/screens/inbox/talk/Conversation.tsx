import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import type { Message } from '../../../api/client';
import { faultOf } from '../../../api/fault';
import { conversation, queues } from '../../../api/queries';
import { changeDraft } from '../../../live/drafts';
import { rowOf } from '../../../live/lists';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { Trouble } from '../../../parts/Note';
import { Outside } from '../../../parts/PlainText';
import { kindOf } from '../kinds';
import { Composer } from '../composer/Composer';
import { ContactPane } from '../contact/ContactPane';
import { useActions } from './actions';
import { Head } from './Head';
import { RefusedAction } from './RefusedAction';
import { Timeline } from './Timeline';

/** Conversation is the page: what was said, the field to answer in, and beside it who the person is. */
export function Conversation({ id }: { id: string }) {
  const cache = useQueryClient();
  // What the list knows of it is shown at once, and its messages are asked for with it.
  const { data: c, error, refetch, isPlaceholderData } = useQuery({ ...conversation(id), placeholderData: () => rowOf(cache, id) });
  useQuery(queues);
  const navigate = useNavigate();
  const actions = useActions(c);
  const [details, setDetails] = useState(false);
  const unread = isPlaceholderData ? 0 : (c?.unread_count ?? 0);
  const { read } = actions;
  // What is in front of somebody is read.
  useEffect(() => {
    if (unread === 0) return;
    const mark = () => document.visibilityState === 'visible' && void read();
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [unread, id]);

  const reply = useCallback(
    (m: Message) => {
      changeDraft(id, { mode: 'reply', replyTo: { id: m.id, name: m.sender.name ?? '', excerpt: m.text || `[${kindOf(m.type)}]` } });
      requestAnimationFrame(() => document.querySelector<HTMLTextAreaElement>('.cmp textarea')?.focus());
    },
    [id],
  );

  if (error && (!c || faultOf(error).status === 404)) {
    return (
      <section className="con">
        <Trouble error={error} again={() => void refetch()} />
        <button type="button" className="btn self-center" onClick={() => void navigate({ to: '/inbox', search: true })}>
          {i18n._('Back to the list')}
        </button>
      </section>
    );
  }
  if (!c) return <section className="con" aria-busy="true" />;
  return (
    <>
      <section className="con" aria-label={i18n._('Conversation with {name}', { name: c.contact.name })}>
        <div className="cv">
          <Head conversation={c} actions={actions} details={details} onDetails={() => setDetails(!details)} />
          <RefusedAction actions={actions} conversation={c} />
          {c.post && (
            <p className="row post t2 dim">
              <Icon name="globe" small />
              {i18n._('Comments below a post')} <Outside url={c.post.url}>{i18n._('Open the post')}</Outside>
            </p>
          )}
          {c.standby && (
            <p className="row post t2 dim" role="status">
              <Icon name="swap" small />
              {i18n._('Another app has this conversation. Routing and bots leave it alone until it is given back.')}
            </p>
          )}
          <Timeline conversation={c} onReply={reply} />
          <Composer conversation={c} actions={actions} />
        </div>
      </section>
      <ContactPane conversation={c} actions={actions} open={details} onClose={() => setDetails(false)} />
    </>
  );
}
