import { useMutation, useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { api, data, type Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { Empty } from '../../parts/Empty';
import { Icon } from '../../parts/Icon';
import { Trouble } from '../../parts/Note';
import { Refused } from '../../parts/Refused';
import { exact, full } from '../../parts/time';
import { sentence } from '../../parts/words';

type Call = Schemas['WebhookCall'];

// So many of the latest calls are read.
const most = 100;

const verdicts: Record<string, { tone: string; words: () => string }> = {
  accepted: { tone: 'ok', words: () => i18n._('accepted') },
  handshake: { tone: '', words: () => i18n._('handshake') },
  replayed: { tone: '', words: () => i18n._('taken again') },
  ignored: { tone: 'warn', words: () => i18n._('ignored') },
  unparsable: { tone: 'bad', words: () => i18n._('not understood') },
  unreadable: { tone: 'bad', words: () => i18n._('unreadable') },
};

const problem = (c: Call) => ['ignored', 'unparsable', 'unreadable'].includes(c.verdict) || Object.keys(c.dropped ?? {}).length > 0;

/** Log are the latest calls of the provider, as the journal has them. */
export function Log({ channel: c, writes }: { channel: Schemas['Channel']; writes: boolean }) {
  const calls = useQuery({ queryKey: ['webhook-log', c.id], queryFn: () => data(api.GET('/v1/channels/{id}/webhook-log', { params: { path: { id: c.id }, query: { limit: most } } })), staleTime: 0 });
  const [only, setOnly] = useState(false);
  const all = calls.data?.data ?? [];
  const problems = all.filter(problem);
  const list = only ? problems : all;
  return (
    <>
      <div className="row wrap logh">
        <h3 className="sp">{i18n._('Webhook log')}</h3>
        <div className="seg" role="group" aria-label={i18n._('Verdict')}>
          <button type="button" aria-pressed={!only} onClick={() => setOnly(false)}>
            {i18n._('All')}
          </button>
          <button type="button" aria-pressed={only} onClick={() => setOnly(true)}>
            {i18n._('Problems {n}', { n: problems.length })}
          </button>
        </div>
        <button type="button" className="ib" aria-label={i18n._('Read the log again')} title={i18n._('Read the log again')} onClick={() => void calls.refetch()}>
          <Icon name="refresh" />
        </button>
      </div>
      <p className="dim t2 logp">{i18n._('The latest {n} calls, newest first, straight from the journal. Replay takes a call as if it came now; what was understood before does not happen twice.', { n: most })}</p>
      {calls.error && <Trouble error={calls.error} again={() => void calls.refetch()} />}
      {calls.data && list.length === 0 && (
        <Empty icon="swap" title={only ? i18n._('No problems') : i18n._('No call yet')}>
          <p>{only ? i18n._('Every one of the latest calls was understood.') : i18n._('The provider has not called yet. Test the connection to tell it our address.')}</p>
        </Empty>
      )}
      {list.length > 0 && (
        <div className="tw" tabIndex={0} role="region" aria-label={i18n._('Webhook log')}>
          <table className="logt">
            <thead>
              <tr>
                <th scope="col">{i18n._('Time')}</th>
                <th scope="col">{i18n._('Verdict')}</th>
                <th scope="col">{i18n._('Reason')}</th>
                <th scope="col">{i18n._('Made')}</th>
                <th scope="col">{i18n._('Position')}</th>
                <th scope="col" className="stk">
                  <span className="sr">{i18n._('Operation')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((w) => (
                <Line key={w.id ?? w.at} channel={c.id} call={w} writes={writes} onReplayed={() => void calls.refetch()} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Line({ channel, call: w, writes, onReplayed }: { channel: string; call: Call; writes: boolean; onReplayed: () => void }) {
  const [open, setOpen] = useState(false);
  // The answer comes from the channel's own service, to which the call is led.
  const again = useMutation({
    mutationFn: (position: Schemas['JournalPosition']) => data(api.POST('/v1/channels/{id}/replay', { params: { path: { id: channel } }, body: position }) as Promise<{ data?: unknown }>) as Promise<{ events: string[] }>,
    onSuccess: onReplayed,
  });
  const verdict = verdicts[w.verdict];
  const made = w.events?.length ?? 0;
  const replay = () => w.position && again.mutate(w.position);
  return (
    <Fragment>
      <tr>
        <td className="nw mono" title={full(w.at)}>
          {exact(w.at)}
        </td>
        <td className="nw">
          <span className={`chip ${verdict?.tone ?? ''}`}>{verdict?.words() ?? w.verdict}</span>
        </td>
        <td>
          <bdi>{w.reason ? sentence(w.reason) : '–'}</bdi>
        </td>
        <td className="dim nw">{i18n._('{n, plural, =0 {nothing} one {one event} other {# events}}', { n: made })}</td>
        <td className="mono faint nw">{w.position ? `${w.position.partition} · ${w.position.offset}` : '–'}</td>
        <td className="nw stk">
          <span className="row">
            <button type="button" className="btn link" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? i18n._('Hide') : i18n._('Show')}
            </button>
            {w.position && writes && (
              <button type="button" className="btn link" disabled={again.isPending} onClick={replay}>
                {i18n._('Replay')}
              </button>
            )}
          </span>
        </td>
      </tr>
      {(open || again.data || again.error) && (
        <tr className="more">
          <td colSpan={6}>
            {again.error && <Refused error={again.error} again={() => void replay()} />}
            {again.data && (
              <p role="status">
                <Icon name="check" small /> {i18n._('{n, plural, =0 {Taken again: there is no event in it} one {Taken again: one event, which has happened once} other {Taken again: # events, each of which has happened once}}', { n: again.data.events.length })}
              </p>
            )}
            {open && (
              <dl className="dl">
                <dt>{i18n._('Call')}</dt>
                <dd className="mono">
                  {w.method} <bdi>{w.path}</bdi>
                </dd>
                {made > 0 && <dt>{i18n._('Events')}</dt>}
                {made > 0 && <dd className="mono">{w.events?.join(' ')}</dd>}
                {Object.entries(w.dropped ?? {}).map(([what, times]) => (
                  <Fragment key={what}>
                    <dt>{i18n._('Not for us')}</dt>
                    <dd>
                      <bdi>{what}</bdi> {times}×
                    </dd>
                  </Fragment>
                ))}
              </dl>
            )}
          </td>
        </tr>
      )}
    </Fragment>
  );
}
