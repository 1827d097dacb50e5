import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, data } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { Trouble } from '../../parts/Note';
import { Refused } from '../../parts/Refused';
import type { Person } from './people';
import { playedAs } from './providers';
import { Receipt } from './Receipt';
import { bare, type Account, type Script, type Sent } from './types';

/** Misbehave is the script of the account: how its provider behaves from now on. */
export function Misbehave({ account, person, messages }: { account: Account; person: Person; messages: Sent[] }) {
  const of = { type: account.type, account: account.id };
  const script = useQuery({ queryKey: ['script', account.type, account.id], queryFn: () => data(api.GET('/simulator/script', { params: { query: of } })), staleTime: 0 });
  if (script.error) return <Trouble error={script.error} again={() => void script.refetch()} />;
  if (!script.data) return null;
  return (
    <div className="mis">
      <Form key={script.dataUpdatedAt} account={account} person={person} now={script.data} onPlayed={() => void script.refetch()} />
      <Receipt account={account} person={person} messages={messages} />
    </div>
  );
}

function Form({ account, person, now, onPlayed }: { account: Account; person: Person; now: Script; onPlayed: () => void }) {
  const [s, set] = useState<Script>(now);
  const change = (c: Partial<Script>) => set({ ...s, ...c });
  const { call, codes: known, receipts: told, closed } = playedAs(account.type);
  const peer = bare(person.peer ?? person.from);
  const code = s.fail?.code ?? 0;
  const receipts = s.receipts ?? {};
  const play = useMutation({
    mutationFn: (to: Script) => data(api.PUT('/simulator/script', { body: { type: account.type, account: account.id, ...to } })),
    onSuccess: onPlayed,
  });
  const num = (label: string, value: number | undefined, to: (n: number | undefined) => void, more?: { min?: number; max?: number; step?: number; usual?: string }) => (
    <label className="mini">
      <span className="t2 dim">{label}</span>
      <input
        className="in"
        type="number"
        inputMode="numeric"
        min={more?.min ?? 0}
        max={more?.max}
        step={more?.step ?? 1}
        placeholder={more?.usual ?? '0'}
        value={value ?? ''}
        onChange={(e) => to(e.target.value === '' ? undefined : Number(e.target.value))}
      />
    </label>
  );
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        play.mutate(s);
      }}
    >
      <Line title={i18n._('Slow')} help={i18n._('before every answer')}>
        {num(i18n._('ms'), s.latency_ms, (latency_ms) => change({ latency_ms }), { max: 3_600_000 })}
        {num(i18n._('up to ms more'), s.jitter_ms, (jitter_ms) => change({ jitter_ms }), { max: 3_600_000 })}
      </Line>
      <Line title={i18n._('Lose the answer')} help={i18n._('taken, then the line breaks: the message becomes unknown')} on={!!s.lose_answer} onSwitch={(on) => change({ lose_answer: on ? { times: 1 } : undefined })}>
        {s.lose_answer && num(i18n._('times, 0 for ever'), s.lose_answer.times, (times) => change({ lose_answer: { times: times ?? 0 } }))}
      </Line>
      <Line title={i18n._('Break the line')} help={i18n._('before the call is read')} on={!!s.reset_before} onSwitch={(on) => change({ reset_before: on ? { times: 1 } : undefined })}>
        {s.reset_before && num(i18n._('times, 0 for ever'), s.reset_before.times, (times) => change({ reset_before: { times: times ?? 0 } }))}
      </Line>
      <Line title={i18n._('Refuse')} help={i18n._('calls fail with')} on={!!s.fail} onSwitch={(on) => change({ fail: on ? { times: 2, code: known[0]?.[0] } : undefined })}>
        {s.fail && (
          <>
            <label className="mini wide">
              <span className="t2 dim">{i18n._('Error')}</span>
              <select className="in" value={code} onChange={(e) => change({ fail: { ...s.fail, code: Number(e.target.value) } })}>
                <option value={0}>{i18n._('A page as a proxy gives it')}</option>
                {known.map(([n, name]) => (
                  <option key={n} value={n}>
                    {n} {name}
                  </option>
                ))}
                {code !== 0 && !known.some(([n]) => n === code) && <option value={code}>{code}</option>}
              </select>
            </label>
            {num(i18n._('Code'), s.fail.code || undefined, (n) => change({ fail: { ...s.fail, code: n ?? 0 } }))}
            {num(i18n._('HTTP status'), s.fail.status || undefined, (status) => change({ fail: { ...s.fail, status } }), { min: 200, max: 599, usual: '—' })}
            {num(i18n._('times, 0 for ever'), s.fail.times, (times) => change({ fail: { ...s.fail, times } }))}
            {num(i18n._('Retry after, s'), s.fail.retry_after || undefined, (retry_after) => change({ fail: { ...s.fail, retry_after } }))}
            <label className="mini wide">
              <span className="t2 dim">{i18n._('Only calls of this name')}</span>
              <input className="in" dir="ltr" placeholder={call} value={s.fail.on ?? ''} onChange={(e) => change({ fail: { ...s.fail, on: e.target.value || undefined } })} />
            </label>
          </>
        )}
      </Line>
      <Line title={i18n._('Throttle')} help={i18n._('calls beyond a rate are refused')} on={!!s.throttle} onSwitch={(on) => change({ throttle: on ? { per_second: 1, burst: 1 } : undefined })}>
        {s.throttle && (
          <>
            {num(i18n._('per second'), s.throttle.per_second, (per_second) => change({ throttle: { ...s.throttle, per_second } }), { step: 0.1 })}
            {num(i18n._('to one person'), s.throttle.per_peer, (per_peer) => change({ throttle: { ...s.throttle, per_peer } }), { step: 0.1 })}
            {num(i18n._('at once'), s.throttle.burst, (burst) => change({ throttle: { ...s.throttle, burst } }))}
          </>
        )}
      </Line>
      {told.length > 0 && (
        <Line title={i18n._('Receipts')} help={i18n._('order and delay')}>
          <label className="mini wide">
            <span className="t2 dim">{i18n._('Sent')}</span>
            <select className="in" value={receipts.mode === 'manual' || receipts.mode === 'off' ? 'manual' : (receipts.order ?? 'in_order')} onChange={(e) => change({ receipts: { ...receipts, ...(e.target.value === 'manual' ? { mode: 'manual', order: undefined } : { mode: 'auto', order: e.target.value }) } })}>
              <option value="in_order">{i18n._('In order')}</option>
              <option value="reversed">{i18n._('Reversed')}</option>
              <option value="duplicated">{i18n._('Twice')}</option>
              <option value="manual">{i18n._('By hand')}</option>
            </select>
          </label>
          {receipts.mode !== 'manual' && (
            <>
              {told.includes('sent') && num(i18n._('sent, ms'), receipts.sent_ms, (sent_ms) => change({ receipts: { ...receipts, sent_ms } }), { min: -1, usual: '50' })}
              {told.includes('delivered') && num(i18n._('delivered, ms'), receipts.delivered_ms, (delivered_ms) => change({ receipts: { ...receipts, delivered_ms } }), { min: -1, usual: '150' })}
              {told.includes('read') && num(i18n._('read, ms'), receipts.read_ms, (read_ms) => change({ receipts: { ...receipts, read_ms } }), { min: -1, usual: '400' })}
              {num(i18n._('fail with code'), receipts.fail_with || undefined, (fail_with) => change({ receipts: { ...receipts, fail_with } }), { usual: '—' })}
            </>
          )}
        </Line>
      )}
      <Line title={i18n._('Send every webhook twice')} on={!!s.duplicate_webhooks} onSwitch={(on) => change({ duplicate_webhooks: on ? 1 : undefined })} />
      <Line title={i18n._('Mix webhooks up')} help={i18n._('each is held back for a random time')}>
        {num(i18n._('up to ms'), s.reorder_ms, (reorder_ms) => change({ reorder_ms }), { max: 3_600_000 })}
      </Line>
      {closed !== undefined && <Line title={i18n._('Close the window now')} help={i18n._('later texts fail with {code}', { code: closed })} on={!!s.window && s.window !== 'off'} onSwitch={(on) => change({ window: on ? '1ms' : undefined })} />}
      {account.type !== 'line' || person.peer ? (
        <Line title={i18n._('To {name}', { name: person.name })} help={i18n._('whether the provider reaches them')}>
          <label className="mini wide">
            <span className="sr">{i18n._('Whether the provider reaches them')}</span>
            <select
              className="in"
              value={s.recipients?.[peer] ?? ''}
              onChange={(e) => {
                const { [peer]: _, ...others } = s.recipients ?? {};
                change({ recipients: e.target.value ? { ...others, [peer]: e.target.value } : others });
              }}
            >
              <option value="">{i18n._('As usual')}</option>
              <option value="unknown">{i18n._('Nobody has this number')}</option>
              <option value="blocked">{i18n._('They blocked the account')}</option>
            </select>
          </label>
        </Line>
      ) : null}
      {play.error && play.variables && <Refused error={play.error} again={() => play.mutate(play.variables)} />}
      <div className="row wrap">
        <button type="submit" className="btn pri">
          {i18n._('Behave like this')}
        </button>
        <button type="button" className="btn" onClick={() => play.mutate({})}>
          {i18n._('Behave as usual')}
        </button>
        <span className="t2 faint" role="status">
          {play.isSuccess ? i18n._('Played from now on') : ''}
        </span>
      </div>
    </form>
  );
}

function Line({ title, help, on, onSwitch, children }: { title: string; help?: string; on?: boolean; onSwitch?: (on: boolean) => void; children?: ReactNode }) {
  const words = (
    <span className="sp">
      <b>{title}</b>
      {help && <span className="t2 faint">{help}</span>}
    </span>
  );
  return (
    <div className="ml">
      {onSwitch ? (
        <label className="row">
          {words}
          <input className="sw" type="checkbox" role="switch" checked={on} onChange={(e) => onSwitch(e.target.checked)} />
        </label>
      ) : (
        <div className="row">{words}</div>
      )}
      {children && <div className="minis">{children}</div>}
    </div>
  );
}
