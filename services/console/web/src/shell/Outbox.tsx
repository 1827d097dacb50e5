import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, data } from '../api/client';
import { outbox, type Pending } from '../live/outbox';
import { keepMessage } from '../live/timeline';

const send = (p: Pending) =>
  data(api.POST('/v1/conversations/{id}/messages', { params: { path: { id: p.conversation }, header: { 'Idempotency-Key': p.key } }, body: p.input }));

/** Outbox keeps what was sent going for as long as somebody is signed in. */
export function Outbox() {
  const cache = useQueryClient();
  useEffect(() => {
    const stop = outbox.run(send, (m) => keepMessage(cache, m));
    const wake = () => outbox.wake();
    addEventListener('online', wake);
    return () => {
      removeEventListener('online', wake);
      stop();
    };
  }, [cache]);
  return null;
}
