import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Tabs } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { api, data, type Schemas } from '../../api/client';
import { faultOf } from '../../api/fault';
import { channels, offers, simulated } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { ChannelGlyph } from '../../parts/Icon';
import { Again, Refused } from '../../parts/Refused';
import { sentence, worded } from '../../parts/words';
import { Crumb } from './Channel';
import { Fields } from './Fields';
import { applies, changed, type ChannelType, type Field, input, missing, name, pointed, shown, type Values, wrong } from './form';
import { Head } from './Head';
import { Log } from './Log';
import { Operations } from './Operations';
import { Rules } from './Rules';
import { useTyped } from './typed';

/** ChannelForm is a channel with its form, and what can be done with it; now is undefined for one that is to be created. */
export function ChannelForm({ types, now, writes, log }: { types: ChannelType[]; now: Schemas['Channel'] | undefined; writes: boolean; log: boolean }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const { typed, type: typeIn, take, renew, drop } = useTyped(now?.id ?? 'new');
  const type = now?.type ?? typed.type ?? types[0]?.type ?? '';
  const of = types.find((t) => t.type === type);
  const fields = of?.settings ?? [];
  const before: Values = { ...shown(fields, (now?.settings ?? {}) as Record<string, unknown>), [name]: now?.name ?? '' };
  const values = { ...before, ...typed.values, ...typed.secrets };
  const label = values[name] ?? '';
  const secrets = (now?.secrets ?? {}) as Record<string, string>;
  const which = changed(fields, before, values).filter((f) => applies(f, fields, values));
  const renamed = label !== before[name];
  const n = which.length + (renamed ? 1 : 0);

  // What the API has refused stands at its field until that is changed.
  const [mendedSince, setMended] = useState<string[]>([]);
  const [round, setRound] = useState(0);
  const [tab, setTab] = useState('connection');
  const body = () => ({ ...(renamed && { name: label }), ...input(which, values, !now) });
  const kept = (c: Schemas['Channel']) => {
    cache.setQueryData(['channel', c.id], c);
    void cache.invalidateQueries({ queryKey: channels.queryKey });
    void cache.invalidateQueries({ queryKey: simulated.queryKey });
  };
  const save = useMutation({
    mutationFn: () =>
      now
        ? data(api.PATCH('/v1/channels/{id}', { params: { path: { id: now.id }, header: { 'If-Match': `"${now.version}"` } }, body: body() }))
        : data(api.POST('/v1/channels', { params: { header: { 'Idempotency-Key': typed.key } }, body: { type, ...body(), name: label } })),
    onMutate: () => setMended([]),
    onSuccess: (c) => {
      kept(c);
      take({});
      setRound((r) => r + 1);
      if (!now) void navigate({ to: '/channels/$id', params: { id: c.id } });
    },
    onError: (e) => {
      const f = faultOf(e);
      if (!f.passing) renew(); // another body may be sent next, which is another call
      if (f.status === 412 && now) void cache.invalidateQueries({ queryKey: ['channel', now.id] });
    },
  });
  const turn = useMutation({
    mutationFn: (enabled: boolean) => data(api.PATCH('/v1/channels/{id}', { params: { path: { id: now?.id ?? '' } }, body: { enabled } })),
    onSuccess: kept,
  });

  const fault = save.error ? faultOf(save.error) : undefined;
  const told = fault && of ? pointed(fault, of) : {};
  const errors = Object.fromEntries(Object.entries(told).filter(([k]) => k === '' || !mendedSince.includes(k)));
  const atFields = Object.keys(errors).filter((k) => k !== '').length;
  const asked = missing(fields, values, secrets);
  const todo = (label.trim() ? 0 : 1) + which.filter((f) => wrong(f, values[f.key] ?? '')).length + asked.length + (fault?.status === 422 ? atFields : 0);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (fault && atFields > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [fault]); // once for each answer, not for each change after it

  const simulator = useQuery({ ...simulated, enabled: writes });
  const played = useQuery({ ...offers, enabled: writes && simulator.isSuccess });
  const offer = played.data?.find((o) => o.type === type);
  const account = now && simulator.data?.find((a) => a.webhook_url.endsWith(`/${now.id}`));
  const offered = (key: string) => {
    if (key !== 'api_base_url' || !offer || !now) return undefined;
    // Providers of one type have addresses of their own: the one that is offered is of the values that it is offered with.
    const same = fields.every((f) => !f.one_of || offer.settings[f.key] === undefined || (values[f.key] || f.default) === offer.settings[f.key]);
    return same ? { label: i18n._('Let the simulator be the provider'), text: String(offer.settings[key]) } : undefined;
  };
  const fill = async () => {
    const fresh = (await cache.fetchQuery({ ...offers, staleTime: 0 })).find((o) => o.type === type);
    if (!fresh) return;
    take({ type, values: { ...shown(fields, fresh.settings), [name]: label || i18n._('{type}, simulated', { type: of?.title ?? type }) }, secrets: fresh.secrets });
    save.reset();
  };
  const change = (key: string, text: string, f?: Field) => {
    typeIn(key, text, before[key] ?? '', f);
    setMended((m) => [...m, key]);
    if (fault && !fault.problem.errors?.length && fault.status !== 412) save.reset();
  };

  return (
    <form
      ref={form}
      className="setc"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        if (todo === 0 && n > 0 && !save.isPending) save.mutate();
      }}
    >
      <Tabs.Root className="page" value={tab} onValueChange={setTab}>
        <Crumb name={now?.name ?? i18n._('New channel')} />
        {now ? (
          <Head channel={now} title={of?.title ?? type} account={account} writes={writes} turning={turn.isPending} onTurn={(on) => turn.mutate(on)} />
        ) : (
          <header className="row chh">
            <ChannelGlyph type={type} large />
            <h2 className="sp">{i18n._('New channel')}</h2>
          </header>
        )}
        {turn.error && turn.variables !== undefined && <Refused error={turn.error} again={() => turn.mutate(turn.variables)} />}
        {now && log && (
          <Tabs.List className="tabs" aria-label={i18n._('Parts of the channel')}>
            <Tabs.Trigger value="connection">{i18n._('Connection')}</Tabs.Trigger>
            <Tabs.Trigger value="log">{i18n._('Webhook log')}</Tabs.Trigger>
          </Tabs.List>
        )}
        {/* It stays there, so that a look at the log loses nothing of it. */}
        <Tabs.Content value="connection" tabIndex={-1} forceMount hidden={tab !== 'connection'}>
          {!now && (
            <fieldset>
              <legend className="sh">{i18n._('Type')}</legend>
              <div className="tys">
                {types.map((t) => (
                  <label key={t.type} className="ty">
                    <input
                      type="radio"
                      className="sr"
                      name="type"
                      value={t.type}
                      checked={t.type === type}
                      onChange={() => {
                        take({ type: t.type, values: { [name]: label } });
                        save.reset();
                      }}
                    />
                    <ChannelGlyph type={t.type} />
                    {t.title}
                  </label>
                ))}
              </div>
            </fieldset>
          )}
          <h3 className="sh">{i18n._('Connection')}</h3>
          {!now && offer && (
            <div className="sr2">
              <div>
                <b>{i18n._('Only to try it')}</b>
                <p className="help">{i18n._('The simulator plays the provider: be the customer yourself, nothing leaves this machine.')}</p>
              </div>
              <div className="ctl">
                <button type="button" className="btn" onClick={() => void fill()}>
                  {i18n._('Fill in a made-up account')}
                </button>
              </div>
            </div>
          )}
          <div className="sr2">
            <div>
              <label className="b" htmlFor="chname">
                {i18n._('Name')}
              </label>
              <p className="help">{i18n._('Your team sees it beside every conversation; customers do not.')}</p>
            </div>
            <div className="ctl">
              <input id="chname" className="in" dir="auto" value={label} maxLength={128} disabled={!writes} aria-invalid={errors[name] !== undefined} aria-describedby={errors[name] ? 'chnamee' : undefined} onChange={(e) => change(name, e.target.value)} />
              {errors[name] && (
                <p id="chnamee" className="help err" role="alert">
                  {sentence(errors[name])}
                </p>
              )}
            </div>
          </div>
          <Fields
            key={`${type} ${round}`}
            fields={fields}
            form={{
              values,
              before,
              was: typed.was,
              errors,
              secrets,
              previous: (now?.previous_secrets ?? {}) as Record<string, { valid_until: string }>,
              readOnly: !writes,
              offered,
              onChange: (f, text) => change(f.key, text, f),
              onDrop: drop,
            }}
          />
          {now && <Operations channel={now} appLevel={of?.inbound?.app_level === true} writes={writes} />}
          {now?.rules && <Rules rules={now.rules} />}
        </Tabs.Content>
        {now && log && (
          <Tabs.Content value="log" tabIndex={-1}>
            <Log channel={now} writes={writes} />
          </Tabs.Content>
        )}
      </Tabs.Root>
      {(n > 0 || fault) && writes && (
        <div className="save">
          <div className="sp" role={fault ? 'alert' : 'status'}>
            <Unsaved n={n} todo={todo} stale={fault?.status === 412} words={fault && (errors[''] ? sentence(errors['']) : Object.keys(told).length > 0 ? undefined : worded(fault))} />{' '}
            {fault && <Again fault={fault} go={() => save.mutate()} />}
          </div>
          <button
            type="button"
            className="btn ghost"
            onClick={() => {
              take({});
              setRound((r) => r + 1);
              save.reset();
            }}
          >
            {i18n._('Discard')}
          </button>
          <button type="submit" className="btn pri" aria-disabled={todo > 0 || n === 0 || save.isPending}>
            {now ? (fault?.status === 412 ? i18n._('Save over it') : i18n._('Save')) : i18n._('Create the channel')}
          </button>
        </div>
      )}
    </form>
  );
}

/** Unsaved says what became of a try to save, else how much is not saved and what keeps it from being so. */
function Unsaved({ n, todo, stale, words }: { n: number; todo: number; stale: boolean; words: string | undefined }) {
  if (stale) return i18n._('Somebody changed this channel meanwhile. Theirs is shown where you did not type, yours is kept where you did.');
  if (words) return words;
  if (todo > 0) return i18n._('{n, plural, one {One field is} other {# fields are}} to be filled in or mended', { n: todo });
  return i18n._('{n, plural, one {# change} other {# changes}} not saved', { n });
}
