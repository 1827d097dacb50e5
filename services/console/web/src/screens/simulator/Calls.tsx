import { useId, useMemo, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { copy } from '../../parts/copy';
import { oneLine } from '../../parts/plain';
import { exact } from '../../parts/time';
import type { Feed } from './feed';
import type { Account, Call, Hook, Sent } from './types';

interface Seen {
  key: string;
  way: 'out' | 'in';
  at: string;
  line: string;
  words: string;
  tone: 'ok' | 'warn' | 'bad';
  chip: string;
  took: number;
  title: string;
  body: unknown;
  curl?: string;
}

// So many rows are shown; the rest is in the API.
const most = 200;

/** Calls are both directions, newest first: out is what the gateway asked of the provider, in what the provider told the gateway. */
export function Calls({ account, feed }: { account: Account; feed: Feed }) {
  const seen = useMemo(() => {
    const bodies = new Map(feed.messages.map((m) => [m.id, m]));
    return [...feed.calls.map((c) => out(account, c, bodies.get(c.message ?? ''))), ...feed.hooks.map(into)].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, most);
  }, [account, feed]);
  return (
    <ol>
      {seen.map((s) => (
        <Line key={s.key} seen={s} />
      ))}
    </ol>
  );
}

export function out(account: Account, c: Call, m: Sent | undefined): Seen {
  const what = [c.kind || c.name, m?.text && `“${oneLine(m.text, 60)}”`].filter(Boolean).join(' ');
  const words = {
    accepted: c.message ? i18n._('{what} → accepted, {id}', { what, id: short(c.message) }) : i18n._('{what} → accepted', { what }),
    refused: [c.code, reason(c.answer)].filter(Boolean).join(' ') || i18n._('refused'),
    lost: i18n._('{what}: the line broke after it was taken', { what }),
    reset: i18n._('The line broke before it was read'),
  }[c.outcome];
  const body = m?.body ?? c.answer;
  return {
    key: `c${c.seq}`,
    way: 'out',
    at: c.at,
    line: `${c.method} ${c.path}`,
    words,
    tone: c.outcome === 'accepted' ? 'ok' : c.outcome === 'refused' ? 'bad' : 'warn',
    chip: c.status ? String(c.status) : i18n._('cut'),
    took: c.took_ms,
    title: m ? i18n._('Sent by the gateway') : i18n._('Answered by the provider'),
    body,
    ...(m && { curl: curl(account, c, body) }),
  };
}

function into(h: Hook): Seen {
  const receipt = ['sent', 'delivered', 'read', 'played', 'failed'].includes(h.kind);
  const words = receipt ? i18n._('status {status} of {id}', { status: h.kind, id: short(h.message ?? '') }) : i18n._('{kind} of {peer}', { kind: h.kind, peer: h.peer });
  const taken = h.status >= 200 && h.status < 300;
  return {
    key: `h${h.seq}`,
    way: 'in',
    at: h.at,
    line: `POST ${h.path}`,
    words: [words, h.try > 1 && i18n._('try {n}', { n: h.try }), h.error].filter(Boolean).join(', '),
    tone: taken ? 'ok' : h.status ? 'bad' : 'warn',
    chip: h.status ? String(h.status) : i18n._('none'),
    took: h.took_ms,
    title: i18n._('Sent by the provider, signed'),
    body: h.body,
  };
}

function Line({ seen: s }: { seen: Seen }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const text = useMemo(() => (open && s.body !== undefined ? JSON.stringify(s.body, null, 2) : ''), [open, s.body]);
  return (
    <li className="call">
      <button type="button" className="row" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)} title={exact(s.at)}>
        <span className="mono way">{s.way}</span>
        <span className="sp cut">
          <bdi className="mono t2 cut">{s.line}</bdi>
          <bdi className="t2 faint cut">{s.words}</bdi>
        </span>
        <span className={`chip ${s.tone}`}>{s.chip}</span>
        <span className="t2 faint nw took">{took(s.took)}</span>
      </button>
      {open && (
        <div className="pre" id={id}>
          <div className="row t2 dim">
            <b>{text ? s.title : i18n._('Nothing is kept of its body')}</b>
            {text && (
              <button type="button" className="btn link t2 end" onClick={() => void copy(s.curl ?? text)}>
                {s.curl ? i18n._('Copy as curl') : i18n._('Copy')}
              </button>
            )}
          </div>
          {text && (
            <pre className="mono" tabIndex={0}>
              {text}
            </pre>
          )}
        </div>
      )}
    </li>
  );
}

const short = (id: string) => (id.length > 24 ? `${id.slice(0, 12)}…${id.slice(-6)}` : id);

const took = (ms: number) => (ms < 10_000 ? i18n._('{n, number} ms', { n: ms }) : i18n._('{n, number} s', { n: Math.round(ms / 100) / 10 }));

/** reason is what a provider said in an answer, wherever it has its words. */
export function reason(answer: unknown): string {
  if (typeof answer === 'string') return i18n._('a page as a proxy gives it');
  const a = (answer ?? {}) as { description?: string; message?: string; error?: { message?: string; error_data?: { details?: string } }; meta?: { developer_message?: string }; detail?: string; errmsg?: string };
  return a.error?.error_data?.details ?? a.error?.message ?? a.description ?? a.meta?.developer_message ?? a.message ?? a.detail ?? a.errmsg ?? '';
}

/** curl is the call to be made again by hand; whoever does puts the secret in. undefined: its body was none that can be written, a file. */
function curl(account: Account, c: Call, body: unknown): string | undefined {
  if (body === undefined) return undefined;
  const quoted = (s: string) => `'${s.replaceAll("'", `'\\''`)}'`;
  const secret = c.path.includes('…') ? '' : ` -H "Authorization: Bearer $TOKEN"`;
  const url = account.api_base_url + c.path;
  const [before, after] = url.split('…', 2);
  return `curl -X ${c.method} ${after === undefined ? quoted(url) : `${quoted(before ?? '')}"$TOKEN"${quoted(after)}`}${secret} -H 'Content-Type: application/json' --data ${quoted(JSON.stringify(body))}`;
}
