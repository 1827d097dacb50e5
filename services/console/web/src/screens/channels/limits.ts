import { i18n } from '../../locales/i18n';
import { milliseconds, span } from '../../parts/time';

/** Send is what can be sent, as far as the table says it. */
export interface Send {
  types?: string[];
  text?: Limit;
  caption?: Limit;
  media?: Record<string, { max_bytes: number }>;
  interactive?: Record<string, { max_items?: number }>;
  reply_to?: boolean;
  reactions?: boolean;
  signals?: string[];
  actions?: Record<string, { for?: string }>;
  attachments?: number;
  rates?: { per: string; n: number; every: string }[] | null;
}

interface Limit {
  max: number;
  unit: string;
}

interface Ruled {
  send: Send;
  /** what can be sent below a post, where that is something else */
  comments?: Send;
  window: { kind?: string; for?: string };
  statuses?: string[] | null;
  starts: { may?: boolean; with?: string };
  max_media?: number;
}

function lasting(text: string | undefined): string {
  const ms = milliseconds(text ?? '');
  return ms > 0 && ms % 3_600_000 === 0 ? i18n._('{n} h', { n: ms / 3_600_000 }) : span(ms);
}

/** rows are the rules of a channel in words: what it is about, and what holds. size words a number of bytes. */
export function rows(r: Ruled, size: (bytes: number) => string): [string, string][] {
  const { send } = r;
  const no = i18n._('no');
  const listed = (of: (string | false | undefined)[]) => of.filter(Boolean).join(', ') || no;
  const kinds = new Set(send.types ?? []);
  return [
    [i18n._('Window'), opens(r.window)],
    [i18n._('May write first'), r.starts.may ? (r.starts.with ? i18n._('with a {what}', { what: r.starts.with }) : i18n._('yes')) : no],
    [i18n._('Kinds of messages'), listed(send.types ?? [])],
    [i18n._('Text'), send.text && kinds.has('text') ? limit(send.text) : no],
    [i18n._('Files that are sent'), listed(Object.entries(send.media ?? {}).map(([kind, m]) => `${kind} ${size(m.max_bytes)}`))],
    [i18n._('Files that come in'), r.max_media ? i18n._('up to {size}', { size: size(r.max_media) }) : i18n._('as large as the installation allows')],
    [i18n._('Buttons and lists'), listed(Object.entries(send.interactive ?? {}).map(([kind, one]) => `${kind.replaceAll('_', ' ')}${one.max_items ? ` (${one.max_items})` : ''}`))],
    [i18n._('Replies to a message'), send.reply_to ? i18n._('yes') : no],
    [i18n._('Reactions'), send.reactions ? i18n._('yes') : no],
    [i18n._('Changes to what was sent'), listed(done(send))],
    ...(r.comments ? [[i18n._('Comments below posts'), listed([...(r.comments.types ?? []), ...done(r.comments)])] satisfies [string, string]] : []),
    [i18n._('Receipts'), listed(r.statuses ?? [])],
    [i18n._('Typing and read marks'), listed((send.signals ?? []).filter((s) => s !== 'ack').map((s) => s.replaceAll('_', ' ')))],
    [i18n._('Rates'), listed((send.rates ?? []).map((one) => i18n._('{n, number} in {time} for each {what}', { n: one.n, time: lasting(one.every), what: one.per === 'peer' ? i18n._('person') : i18n._('channel') })))],
  ];
}

/** done is what can be done to messages that are there, and for how long. */
const done = (s: Send) => Object.entries(s.actions ?? {}).map(([what, rule]) => what.replaceAll('_', ' ') + (rule.for ? ` (${lasting(rule.for)})` : ''));

function opens(w: Ruled['window']): string {
  switch (w.kind) {
    case 'inbound':
      return i18n._('{time} after the customer’s last message', { time: lasting(w.for) });
    case 'reply':
      return i18n._('once the customer has written');
    default:
      return i18n._('always open');
  }
}

function limit(l: Limit): string {
  if (!l.max) return i18n._('any length');
  if (l.unit === 'bytes') return i18n._('{n, number} bytes', { n: l.max });
  if (l.unit === 'segments') return i18n._('{n, number} segments', { n: l.max });
  return i18n._('{n, number} characters', { n: l.max });
}
