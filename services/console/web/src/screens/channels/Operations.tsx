import { useMutation, useQuery } from '@tanstack/react-query';
import { api, data, type Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { Icon } from '../../parts/Icon';
import { Note, Trouble } from '../../parts/Note';
import { exact } from '../../parts/time';
import { toast } from '../../parts/toast';
import { worded } from '../../parts/words';
import { Rules } from './Rules';

type Channel = Schemas['Channel'];

/** Operations are the channel's address, its test, what it can do, and the latest calls of the provider. */
export function Operations({ channel: c, readOnly, log }: { channel: Channel; readOnly: boolean; log: boolean }) {
  const test = useMutation({ mutationFn: () => data(api.POST('/v1/channels/{id}/test', { params: { path: { id: c.id } } }) as Promise<{ data?: unknown }>) });
  return (
    <>
      <h3 className="sh">{i18n._('Webhook')}</h3>
      <div className="sr2">
        <div>
          <b>{i18n._('Webhook URL')}</b>
          <p className="help">{i18n._('Paste it at the provider. It never changes.')}</p>
        </div>
        <div className="row copy">
          <code className="mono sp cut">{c.webhook_url}</code>
          <button type="button" className="btn s" onClick={() => void copy(c.webhook_url ?? '')}>
            <Icon name="copy" small />
            {i18n._('Copy')}
          </button>
        </div>
      </div>
      <div className="sr2">
        <div>
          <b>{i18n._('Test')}</b>
          <p className="help">{i18n._('Tells the provider our address, and checks the credentials.')}</p>
        </div>
        <div className="ctl stack">
          <div className="row wrap">
            <button type="button" className="btn" disabled={readOnly || test.isPending} onClick={() => test.mutate()}>
              {i18n._('Test the connection')}
            </button>
            <span role="status" className="row gap-1">
              {test.isSuccess && (
                <>
                  <Icon name="check" small />
                  <b>{i18n._('Works')}</b>
                </>
              )}
            </span>
          </div>
          {test.error && (
            <Note tone="bad" icon="alert" role="alert">
              {worded(test.error)}
            </Note>
          )}
          {test.data !== undefined && test.data !== null && (
            <pre className="mono said" tabIndex={0}>
              {JSON.stringify(test.data, null, 2)}
            </pre>
          )}
        </div>
      </div>
      {c.rules && <Rules rules={c.rules} />}
      {log && <Log channel={c} readOnly={readOnly} />}
    </>
  );
}

function Log({ channel: c, readOnly }: { channel: Channel; readOnly: boolean }) {
  const calls = useQuery({ queryKey: ['webhook-log', c.id], queryFn: () => data(api.GET('/v1/channels/{id}/webhook-log', { params: { path: { id: c.id }, query: { limit: 50 } } })), staleTime: 0 });
  const again = useMutation({
    mutationFn: (position: Schemas['JournalPosition']) => data(api.POST('/v1/channels/{id}/replay', { params: { path: { id: c.id } }, body: position }) as Promise<{ data?: unknown }>),
    onSuccess: () => {
      toast('check', i18n._('Taken again: what was understood before has not happened twice'));
      void calls.refetch();
    },
    onError: (e) => toast('alert', worded(e)),
  });
  return (
    <>
      <div className="row">
        <h3 className="sh sp">{i18n._('Webhook log')}</h3>
        <button type="button" className="ib" aria-label={i18n._('Read the log again')} title={i18n._('Read the log again')} onClick={() => void calls.refetch()}>
          <Icon name="refresh" />
        </button>
      </div>
      {calls.error && <Trouble error={calls.error} again={() => void calls.refetch()} />}
      {calls.data?.data.length === 0 && <p className="dim">{i18n._('The provider has not called yet.')}</p>}
      {calls.data && calls.data.data.length > 0 && (
        <div className="tw">
          <table>
            <thead>
              <tr>
                <th>{i18n._('Time')}</th>
                <th>{i18n._('Call')}</th>
                <th>{i18n._('Verdict')}</th>
                <th>{i18n._('Events')}</th>
                <th>
                  <span className="sr">{i18n._('Operation')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {calls.data.data.map((w) => (
                <tr key={w.id ?? w.at}>
                  <td className="nw">{exact(w.at)}</td>
                  <td className="mono">
                    {w.method} <bdi>{w.path}</bdi>
                  </td>
                  <td>
                    <span className={`chip ${w.verdict === 'accepted' ? 'ok' : 'bad'}`}>{w.verdict}</span> <bdi className="t2 dim">{w.reason}</bdi>
                  </td>
                  <td>{w.events?.length ?? 0}</td>
                  <td>
                    {w.position && !readOnly && (
                      <button type="button" className="btn s" disabled={again.isPending} onClick={() => w.position && again.mutate(w.position)}>
                        {i18n._('Take it again')}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
    toast('check', i18n._('Copied'));
  } catch {
    toast('alert', i18n._('The browser does not allow copying here.'));
  }
}
