import { useQuery } from '@tanstack/react-query';
import type { Conversation, Schemas } from '../../../api/client';
import { agents, decisions, queues } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { Trouble } from '../../../parts/Note';
import { full, short } from '../../../parts/time';

/** RoutingDialog explains who was chosen, and why nobody else. */
export default function RoutingDialog({ conversation: c, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { data, error, refetch } = useQuery({ ...decisions(c.id), staleTime: 0 });
  const { data: people } = useQuery(agents);
  const { data: waiting } = useQuery(queues);
  const agent = (id: string | undefined) => people?.find((a) => a.id === id)?.name ?? id ?? '';
  const queue = (id: string | undefined) => waiting?.find((q) => q.id === id)?.name ?? id ?? '';
  return (
    <Dialog open title={i18n._('Routing, explained')} onClose={onClose}>
      {error && <Trouble error={error} again={() => void refetch()} />}
      {data?.data.length === 0 && <p className="dim">{i18n._('Routing has not decided anything here: it was given by hand, or the channel has no queue.')}</p>}
      <ol className="stack">
        {data?.data.map((d) => (
          <li key={d.id}>
            <div className="row">
              <b className="sp">{headline(d, agent, queue)}</b>
              <time className="faint t2" dateTime={d.at} title={full(d.at)}>
                {short(d.at)}
              </time>
            </div>
            <ul className="t2 dim">
              {d.reasons.map((r, n) => (
                <li key={n}>
                  {r.agent_id && (
                    <>
                      <bdi>{agent(r.agent_id)}</bdi>:{' '}
                    </>
                  )}
                  {why(r.code)}
                  {r.detail && (
                    <>
                      {' '}
                      (<bdi>{r.detail}</bdi>)
                    </>
                  )}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function headline(d: Schemas['RoutingDecision'], agent: (id?: string) => string, queue: (id?: string) => string): string {
  const what = d.agent_id ? i18n._('Given to {name}', { name: agent(d.agent_id) }) : d.queue_id ? i18n._('Put into {queue}', { queue: queue(d.queue_id) }) : d.action.replaceAll('_', ' ');
  return d.outcome === 'refused' ? i18n._('{what}: not done, it had changed meanwhile', { what }) : what;
}

function why(code: string): string {
  switch (code) {
    case 'not_idle':
      return i18n._('not idle');
    case 'at_limit':
      return i18n._('has as many conversations as the limit allows');
    case 'lacks_skill':
      return i18n._('lacks a skill of the queue');
    default:
      return code.replaceAll('_', ' ');
  }
}
