import { useQuery } from '@tanstack/react-query';
import type { Message } from '../../../api/client';
import { deliveries } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { Trouble } from '../../../parts/Note';
import { exact, full } from '../../../parts/time';
import { reason, type StatusError, statusName } from './status';

interface Step {
  status?: string;
  at?: string;
  source?: string;
  error?: StatusError;
}

interface Call {
  method?: string;
  url?: string;
  status?: number;
  at?: string;
  error?: string;
}

/** Deliveries shows every attempt of a message with its steps, and the calls to the provider as they were made, without secrets. */
export default function Deliveries({ message, onClose }: { message: Message; onClose: () => void }) {
  const { data, error, refetch } = useQuery({ ...deliveries(message.id), staleTime: 0 });
  return (
    <Dialog open title={i18n._('Delivery attempts')} onClose={onClose}>
      {error && <Trouble error={error} again={() => void refetch()} />}
      {data?.data.map((d) => (
        <section key={d.attempt_id} className="mt-2">
          <h3 className="b">
            {i18n._('Attempt {n}', { n: d.n })}: {statusName(d.status)}
          </h3>
          <dl className="dl t2">
            {(d.steps as Step[]).map((s, n) => (
              <div key={n} className="contents">
                <dt title={s.at && full(s.at)}>{s.at && exact(s.at)}</dt>
                <dd>
                  {statusName(s.status ?? '')}
                  {s.error && (
                    <>
                      : <bdi>{reason(s.error)}</bdi>
                    </>
                  )}
                </dd>
              </div>
            ))}
            {(d.calls as Call[]).map((call, n) => (
              <div key={`c${n}`} className="contents">
                <dt title={call.at && full(call.at)}>{call.at && exact(call.at)}</dt>
                <dd className="mono">
                  {call.method} {call.url} {call.status ?? ''} {call.error ?? ''}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
