import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, data, type Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { copy } from '../../parts/copy';
import { Icon } from '../../parts/Icon';
import { oneLine } from '../../parts/plain';
import { Refused } from '../../parts/Refused';
import { clock } from '../../parts/time';
import { sentence } from '../../parts/words';
import { blank, SimulateDialog } from './SimulateDialog';

type Channel = Schemas['Channel'];

/** Tested is what came of telling a provider our address: its calls in their order, up to the first that failed. */
interface Tested {
  ok: boolean;
  calls: { method: string; url: string; status?: number; answer?: string; error?: { code: string; detail?: string } }[];
}

/** Operations are the channel's address, its test, and payloads that are taken as if the provider had sent them. */
export function Operations({ channel: c, appLevel, writes }: { channel: Channel; appLevel: boolean; writes: boolean }) {
  const [recorded, setRecorded] = useState(blank);
  const [simulating, setSimulating] = useState(false);
  return (
    <>
      <h3 className="sh">{i18n._('Webhook')}</h3>
      <Address title={i18n._('Webhook URL')} help={i18n._('Paste it at the provider. It never changes.')} url={c.webhook_url} />
      {appLevel && <Address title={i18n._('Webhook URL of an app')} help={i18n._('For an app of the provider that serves several of your channels.')} url={c.app_webhook_url} />}
      {writes && <Test channel={c} />}
      {writes && (
        <div className="sr2">
          <div>
            <b>{i18n._('Recorded call')}</b>
            <p className="help">{i18n._('Takes a payload as if the provider had sent it, unsigned. What is in it happens.')}</p>
          </div>
          <div className="ctl">
            <button type="button" className="btn" onClick={() => setSimulating(true)}>
              {i18n._('Take a recorded call…')}
            </button>
          </div>
        </div>
      )}
      {simulating && <SimulateDialog channel={c.id} recorded={recorded} onChange={setRecorded} onClose={() => setSimulating(false)} />}
    </>
  );
}

function Address({ title, help, url }: { title: string; help: string; url: string | undefined }) {
  if (!url) return null;
  return (
    <div className="sr2">
      <div>
        <b>{title}</b>
        <p className="help">{help}</p>
      </div>
      <div className="row copy">
        <code className="mono sp cut" tabIndex={0} aria-label={title}>
          {url}
        </code>
        <button type="button" className="btn s" aria-label={i18n._('Copy: {what}', { what: title })} onClick={() => void copy(url)}>
          <Icon name="copy" small />
          {i18n._('Copy')}
        </button>
      </div>
    </div>
  );
}

function Test({ channel: c }: { channel: Channel }) {
  // The answer comes from the channel's own service, to which the call is led.
  const test = useMutation({ mutationFn: () => data(api.POST('/v1/channels/{id}/test', { params: { path: { id: c.id } } }) as Promise<{ data?: unknown }>) as Promise<Tested> });
  const told = test.data;
  return (
    <div className="sr2">
      <div>
        <b>{i18n._('Test')}</b>
        <p className="help">{i18n._('Tells the provider our address, and so tries the credentials.')}</p>
      </div>
      <div className="ctl stack">
        <div className="row wrap">
          <button type="button" className="btn" disabled={test.isPending} onClick={() => test.mutate()}>
            {told ? i18n._('Test again') : i18n._('Test the connection')}
          </button>
          <span role="status" className="row wrap gap-1">
            {test.isPending && <span className="dim">{i18n._('The provider is asked…')}</span>}
            {told && !test.isPending && (
              <>
                <Verdict told={told} />
                <span className="t2 faint">{i18n._('tested {when}', { when: clock(new Date(test.submittedAt)) })}</span>
              </>
            )}
          </span>
        </div>
        {test.error && <Refused error={test.error} again={() => test.mutate()} />}
        {told && !test.isPending && told.calls.length > 0 && (
          <ul className="steps">
            {told.calls.map((call, n) => (
              <li key={n} className={call.error ? 'row er' : 'row'}>
                <Icon name={call.error ? 'x' : 'check'} small />
                <span className="sp">
                  <bdi className="mono cut">
                    {call.method} {call.url}
                  </bdi>
                  {call.error && <span className="t2">{sentence(call.error.detail ?? call.error.code)}</span>}
                  {call.error && call.answer && <bdi className="t2 faint">“{oneLine(call.answer, 300)}”</bdi>}
                </span>
                {call.status !== undefined && <span className="t2 faint nw">{call.status}</span>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

function Verdict({ told }: { told: Tested }) {
  if (!told.ok) {
    return (
      <span className="er row gap-1">
        <Icon name="alert" small />
        <b>{i18n._('Stopped at step {n}', { n: told.calls.length })}</b>
      </span>
    );
  }
  return (
    <span className="good row gap-1">
      <Icon name="check" small />
      <b>{told.calls.length > 0 ? i18n._('Works') : i18n._('Nothing to set up at a provider')}</b>
    </span>
  );
}
