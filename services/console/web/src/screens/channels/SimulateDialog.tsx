import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { api, data } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { Dialog } from '../../parts/Dialog';
import { Icon } from '../../parts/Icon';
import { Note } from '../../parts/Note';
import { Refused } from '../../parts/Refused';
import { size } from '../../parts/size';
import { call, type Recorded } from './recorded';

/** Taken is what was made of a recorded call: its events, and what of it has none. */
interface Taken {
  events: string[];
  ignored: Record<string, number> | null;
}

export const blank: Recorded = { method: 'POST', path: '', query: '', header: '', text: '' };

/** SimulateDialog takes a payload that a provider once sent, pasted or from a file, as if it sent it now. */
export function SimulateDialog({ channel, recorded: r, onChange, onClose }: { channel: string; recorded: Recorded; onChange: (r: Recorded) => void; onClose: () => void }) {
  const chosen = useRef<HTMLInputElement>(null);
  const take = useMutation({
    // The answer comes from the channel's own service, to which the call is led.
    mutationFn: () => data(api.POST('/v1/channels/{id}/simulate', { params: { path: { id: channel } }, body: call(r) }) as Promise<{ data?: unknown }>) as Promise<Taken>,
  });
  const change = (to: Partial<Recorded>) => {
    onChange({ ...r, ...to });
    take.reset();
  };
  const read = async (f: File | undefined) => {
    if (!f) return;
    const bytes = new Uint8Array(await f.arrayBuffer());
    try {
      change({ text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), file: undefined });
    } catch {
      change({ text: '', file: { name: f.name, bytes } });
    }
  };
  const ready = r.text.trim() !== '' || r.file !== undefined || r.method === 'GET';
  const field = (key: 'path' | 'query' | 'header', label: string, example: string, rows?: number) => (
    <label className="field">
      <span className="lb">{label}</span>
      {rows ? (
        <textarea className="in mono" dir="ltr" rows={rows} spellCheck={false} placeholder={example} value={r[key]} onChange={(e) => change({ [key]: e.target.value })} />
      ) : (
        <input className="in mono" dir="ltr" spellCheck={false} autoComplete="off" placeholder={example} value={r[key]} onChange={(e) => change({ [key]: e.target.value })} />
      )}
    </label>
  );
  return (
    <Dialog
      open
      title={i18n._('Take a recorded call')}
      description={i18n._('No signature is asked for. What is in it happens: messages reach your inbox.')}
      onClose={onClose}
      footer={
        <button type="submit" form="recorded" className="btn pri" aria-disabled={!ready || take.isPending}>
          {i18n._('Take it')}
        </button>
      }
    >
      <form
        id="recorded"
        className="stack mt-3"
        onSubmit={(e) => {
          e.preventDefault();
          e.stopPropagation(); // the page's own form lies around the place from which the dialog was opened
          if (ready && !take.isPending) take.mutate();
        }}
      >
        <div>
          <div className="row mb-1">
            <label className="b sp" htmlFor="payload">
              {i18n._('Payload')}
            </label>
            <button type="button" className="btn s" onClick={() => chosen.current?.click()}>
              <Icon name="clip" small />
              {i18n._('From a file…')}
            </button>
          </div>
          {r.file ? (
            <p className="row copy">
              <bdi className="mono sp cut">{r.file.name}</bdi>
              <span className="t2 faint nw">{size(r.file.bytes.length)}</span>
              <button type="button" className="ib s" aria-label={i18n._('Without the file')} title={i18n._('Without the file')} onClick={() => change({ file: undefined })}>
                <Icon name="x" small />
              </button>
            </p>
          ) : (
            <textarea id="payload" className="in mono" dir="ltr" rows={8} spellCheck={false} placeholder="{ … }" value={r.text} onChange={(e) => change({ text: e.target.value })} />
          )}
        </div>
        <details>
          <summary>{i18n._('Method, path, query and headers')}</summary>
          <div className="stack">
            <label className="field">
              <span className="lb">{i18n._('Method')}</span>
              <select className="in" value={r.method} onChange={(e) => change({ method: e.target.value })}>
                <option>POST</option>
                <option>GET</option>
                <option>PUT</option>
              </select>
            </label>
            {field('path', i18n._('Path behind the webhook URL'), '/deliveryNotification')}
            {field('query', i18n._('Query'), 'a=1&b=2')}
            {field('header', i18n._('Headers, one per line'), 'Content-Type: application/json', 3)}
          </div>
        </details>
        {take.error && <Refused error={take.error} again={() => take.mutate()} />}
        {take.data && (
          <Note tone="ok" icon="check" role="status">
            <p>{i18n._('{n, plural, =0 {Understood: nothing happened} one {Taken: one event} other {Taken: # events}}', { n: take.data.events.length })}</p>
            {take.data.events.map((e) => (
              <p key={e} className="mono t2">
                {e}
              </p>
            ))}
            {Object.entries(take.data.ignored ?? {}).map(([what, times]) => (
              <p key={what} className="t2">
                {i18n._('Not for us: {what}, {times}×', { what, times })}
              </p>
            ))}
          </Note>
        )}
      </form>
      <input
        ref={chosen}
        type="file"
        hidden
        tabIndex={-1}
        onChange={(e) => {
          void read(e.target.files?.[0]);
          e.target.value = '';
        }}
      />
    </Dialog>
  );
}
