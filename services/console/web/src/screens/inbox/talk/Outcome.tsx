import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { api, data, type Message } from '../../../api/client';
import { changeDraft } from '../../../live/drafts';
import { keepMessage } from '../../../live/timeline';
import { i18n } from '../../../locales/i18n';
import { Note } from '../../../parts/Note';
import { worded } from '../../../parts/words';
import type { About } from './MessageRow';
import { lastError, reason } from './status';

const Deliveries = lazy(() => import('./Deliveries'));

/** Outcome stands below a message that did not arrive, or of which that is not known: why, and the ways on. */
export function Outcome({ message: m, conversation: c }: { message: Message; conversation: About }) {
  const cache = useQueryClient();
  const [details, setDetails] = useState(false);
  const [left, setLeft] = useState(false);
  const resend = useMutation({
    mutationFn: () => data(api.POST('/v1/messages/{id}/resend', { params: { path: { id: m.id } } })),
    onSuccess: (now) => keepMessage(cache, now),
  });
  if ((m.status !== 'failed' && m.status !== 'unknown') || left) return null;
  const error = lastError(m);
  const unknown = m.status === 'unknown';
  return (
    <Note tone={unknown ? 'warn' : 'bad'} icon={unknown ? 'help' : 'alert'} className="fix">
      <p>
        {unknown ? (
          <>
            <b>{i18n._('Unknown.')}</b> {i18n._('The line broke before {channel} answered. It may have arrived. We do not send twice by ourselves.', { channel: c.channel.name })}
          </>
        ) : (
          <>
            <b>{i18n._('Not delivered.')}</b> <bdi>{error ? reason(error) : i18n._('The channel gave no reason.')}</bdi>
          </>
        )}
      </p>
      {resend.isError && (
        <p className="er" role="alert">
          {worded(resend.error)}
        </p>
      )}
      <p className="row wrap gap-4">
        <button type="button" className="btn link t2" aria-disabled={resend.isPending} onClick={() => !resend.isPending && resend.mutate()}>
          {unknown ? i18n._('Send again') : i18n._('Try again')}
        </button>
        {unknown ? (
          <button type="button" className="btn link t2" title={i18n._('A later receipt of the channel still settles it')} onClick={() => setLeft(true)}>
            {i18n._('Leave it, it may have arrived')}
          </button>
        ) : (
          m.text && (
            <button type="button" className="btn link t2" onClick={() => changeDraft(c.id, (d) => ({ mode: 'reply', reply: d.reply ? `${d.reply}\n${m.text}` : (m.text ?? '') }))}>
              {i18n._('Edit as a new message')}
            </button>
          )
        )}
        <button type="button" className="btn link t2" onClick={() => setDetails(true)}>
          {i18n._('What was sent')}
        </button>
      </p>
      <Suspense>{details && <Deliveries message={m} onClose={() => setDetails(false)} />}</Suspense>
    </Note>
  );
}
