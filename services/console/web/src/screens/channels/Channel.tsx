import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, data, type Schemas } from '../../api/client';
import { faultOf } from '../../api/fault';
import { channel, channelTypes, me } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { ChannelGlyph } from '../../parts/Icon';
import { Note, Trouble } from '../../parts/Note';
import { worded } from '../../parts/words';
import { Fields } from './Fields';
import { applies, type ChannelType, changed, input, pointed, shown, type Values, wrong } from './form';
import { Operations } from './Operations';

/** Channel is one channel, or a new one. */
export function Channel() {
  const { id } = useParams({ from: '/shell/channels/$id' });
  const { data: caller } = useQuery(me);
  const types = useQuery(channelTypes);
  const one = useQuery({ ...channel(id), enabled: id !== 'new' });
  const error = types.error ?? one.error;
  if (error) return <Trouble error={error} again={() => void (types.error ? types.refetch() : one.refetch())} />;
  if (!types.data || !caller || (id !== 'new' && !one.data)) return <div className="setc" aria-busy="true" />;
  return <Form key={id} types={types.data as unknown as ChannelType[]} now={one.data} readOnly={!caller.permissions.includes('channels.write')} log={caller.permissions.includes('webhook_log.read')} />;
}

function Form({ types, now, readOnly, log }: { types: ChannelType[]; now: Schemas['Channel'] | undefined; readOnly: boolean; log: boolean }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [type, setType] = useState(now?.type ?? types[0]?.type ?? '');
  const of = types.find((t) => t.type === type);
  const fields = of?.settings ?? [];
  const before: Values = shown(fields, (now?.settings ?? {}) as Record<string, unknown>);
  const [typed, setTyped] = useState<Values>({});
  const [name, setName] = useState<string>();
  const key = useRef(crypto.randomUUID());
  const values = { ...before, ...typed };
  const label = name ?? now?.name ?? '';
  const which = changed(fields, before, values).filter((f) => applies(f, fields, values));
  const renamed = label !== (now?.name ?? '');
  const n = which.length + (renamed ? 1 : 0);
  const body = () => ({ ...(renamed && { name: label }), ...input(which, values, !now) });
  const kept = (c: Schemas['Channel']) => {
    cache.setQueryData(['channel', c.id], c);
    void cache.invalidateQueries({ queryKey: ['channels'] });
    setTyped({});
    setName(undefined);
    key.current = crypto.randomUUID();
  };
  const save = useMutation({
    mutationFn: () =>
      now
        ? data(api.PATCH('/v1/channels/{id}', { params: { path: { id: now.id }, header: { 'If-Match': `"${now.version}"` } }, body: body() }))
        : data(api.POST('/v1/channels', { params: { header: { 'Idempotency-Key': key.current } }, body: { type, ...body(), name: label } })),
    onSuccess: (c) => {
      kept(c);
      if (!now) void navigate({ to: '/channels/$id', params: { id: c.id } });
    },
    // Another body may be sent next, which is another call.
    onError: (e) => faultOf(e).passing || (key.current = crypto.randomUUID()),
  });
  const turn = useMutation({
    mutationFn: (enabled: boolean) => data(api.PATCH('/v1/channels/{id}', { params: { path: { id: now?.id ?? '' } }, body: { enabled } })),
    onSuccess: (c) => {
      cache.setQueryData(['channel', c.id], c);
      void cache.invalidateQueries({ queryKey: ['channels'] });
    },
  });
  const fault = save.error ? faultOf(save.error) : undefined;
  const errors = fault ? pointed(fault, fields) : {};
  const stale = fault?.status === 412;
  const unclean = !label.trim() || which.some((f) => wrong(f, values[f.key] ?? ''));
  return (
    <form
      className="setc"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        if (!unclean && n > 0 && !save.isPending) save.mutate();
      }}
    >
      <div className="page">
        <header className="row chh">
          <ChannelGlyph type={type} large />
          <div className="sp">
            <h2>
              <bdi>{now?.name ?? i18n._('New channel')}</bdi>
            </h2>
            <p className="t2 dim">{of?.title}</p>
          </div>
          {now && (
            <label className="row nw">
              <span>{i18n._('Enabled')}</span>
              <input className="sw" type="checkbox" role="switch" checked={now.enabled} disabled={readOnly || turn.isPending} onChange={(e) => turn.mutate(e.target.checked)} />
            </label>
          )}
        </header>
        {turn.error && (
          <Note tone="bad" icon="alert" role="alert">
            {worded(turn.error)}
          </Note>
        )}
        <h3 className="sh">{i18n._('Connection')}</h3>
        {!now && (
          <div className="sr2">
            <label className="b" htmlFor="chtype">
              {i18n._('Type')}
            </label>
            <select
              id="chtype"
              className="in ctl"
              value={type}
              onChange={(e) => {
                setType(e.target.value);
                setTyped({});
                save.reset();
              }}
            >
              {types.map((t) => (
                <option key={t.type} value={t.type}>
                  {t.title}
                </option>
              ))}
            </select>
          </div>
        )}
        <div className="sr2">
          <label className="b" htmlFor="chname">
            {i18n._('Name')}
          </label>
          <div className="ctl">
            <input id="chname" className="in" dir="auto" value={label} maxLength={128} disabled={readOnly} aria-invalid={errors['name'] !== undefined} onChange={(e) => setName(e.target.value)} />
            {errors['name'] && <p className="help err">{errors['name']}</p>}
          </div>
        </div>
        <Fields
          key={`${type} ${now?.version ?? 0}`}
          fields={fields}
          values={values}
          errors={errors}
          secrets={(now?.secrets ?? {}) as Record<string, string>}
          readOnly={readOnly}
          onChange={(k, text) => {
            setTyped((t) => ({ ...t, [k]: text }));
            if (!stale) save.reset();
          }}
        />
        {now && <Operations channel={now} readOnly={readOnly} log={log} />}
      </div>
      {(n > 0 || fault) && !readOnly && (
        <div className="save">
          <div className="sp" role={fault ? 'alert' : undefined}>
            {stale ? i18n._('Somebody changed this channel meanwhile. What you typed is kept: read theirs, then save yours over it.') : fault && (errors[''] || !fault.problem.errors?.length) ? (errors[''] ?? worded(fault)) : i18n._('{n, plural, one {# change} other {# changes}} not saved', { n })}
          </div>
          {stale && now && (
            <button
              type="button"
              className="btn"
              onClick={() => {
                save.reset();
                void cache.invalidateQueries({ queryKey: ['channel', now.id] });
              }}
            >
              {i18n._('Read theirs')}
            </button>
          )}
          <button
            type="button"
            className="btn ghost"
            onClick={() => {
              setTyped({});
              setName(undefined);
              save.reset();
            }}
          >
            {i18n._('Discard')}
          </button>
          <button type="submit" className="btn pri" aria-disabled={unclean || n === 0 || save.isPending}>
            {now ? i18n._('Save') : i18n._('Create the channel')}
          </button>
        </div>
      )}
    </form>
  );
}
