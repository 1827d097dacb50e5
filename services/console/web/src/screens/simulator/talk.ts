import type { Person, Said } from './people';
import { bare, type Hook, type Sent } from './types';

/** Choice is a button of a message. */
export interface Choice {
  id: string;
  title: string;
}

/** Bubble is one row of the phone: a message with what was done to it, or something that happened. */
export interface Bubble {
  key: string;
  id?: string;
  mine: boolean;
  /** it is no message, but something that happened */
  event: boolean;
  kind: string;
  text: string;
  at: string;
  file?: string;
  quote?: string;
  choices: Choice[];
  /** the emoji that the customer, and that the account, reacted with */
  reactions: { mine?: string; theirs?: string };
  edited?: boolean;
  deleted?: boolean;
  /** of the customer's: what became of the webhook */
  state?: Said['state'];
  status?: number;
  /** of the account's: the latest receipt that was told, and how often the message came */
  receipt?: string;
  copies: number;
}

// What is done to a message, and what happens beside messages.
const changes = ['reaction', 'edit', 'delete'];
const events = [...changes, 'block', 'unblock', 'number_changed', 'typing'];
const ranks = ['sent', 'delivered', 'read', 'played', 'failed'];

/** Entry is a bubble before it is known where it belongs: all its ids, and those of the messages that it changes. */
interface Entry {
  bubble: Bubble;
  ids: string[];
  about: string[];
}

/**
 * talk puts what the customer did here and what the provider took for them in the order of time. What was done to a message is shown on it;
 * what the channel did not take, or is about a message that is not known here, is a row of its own.
 */
export function talk(person: Person, said: Said[], messages: Sent[], hooks: Hook[]): Bubble[] {
  const entries = [...said.map(mine), ...theirs(person, messages, told(hooks))].sort((a, b) => (a.bubble.at < b.bubble.at ? -1 : a.bubble.at > b.bubble.at ? 1 : 0));
  const known = new Map<string, Bubble>();
  for (const e of entries) if (!e.bubble.event) for (const id of e.ids) known.set(id, e.bubble);
  return entries
    .filter((e) => {
      if (!changes.includes(e.bubble.kind) || e.bubble.state === 'not taken') return true;
      const targets = e.about.map((id) => known.get(id)).filter((t) => t !== undefined);
      for (const t of targets) change(t, e.bubble);
      return targets.length === 0;
    })
    .map((e) => e.bubble);
}

function change(target: Bubble, by: Bubble): void {
  if (by.kind === 'reaction') target.reactions = { ...target.reactions, [by.mine ? 'mine' : 'theirs']: by.text || undefined };
  if (by.kind === 'edit') {
    target.text = by.text;
    target.edited = true;
    if (!by.mine) target.choices = by.choices;
  }
  if (by.kind === 'delete') target.deleted = true;
}

function mine(s: Said): Entry {
  const { key, id, kind, text, at, file, quote, state, status } = s;
  return { bubble: { key, id, kind, text, at, file, quote, state, status, mine: true, event: events.includes(kind), choices: [], reactions: {}, copies: 1 }, ids: id ? [id] : [], about: s.target ? [s.target] : [] };
}

function theirs(person: Person, messages: Sent[], receipts: Map<string, string>): Entry[] {
  const peer = bare(person.peer ?? person.from);
  return messages
    .filter((m) => bare(m.to) === peer)
    .map((m) => ({
      bubble: { key: `${m.seq}`, id: m.id, mine: false, event: events.includes(m.kind), kind: m.kind, text: m.text ?? '', at: m.at, choices: m.choices ?? [], reactions: {}, receipt: receipts.get(m.id), copies: m.copies },
      ids: m.ids ?? [m.id],
      about: m.about ?? [],
    }));
}

/** told are the furthest receipts that the gateway took, by the message. */
function told(hooks: Hook[]): Map<string, string> {
  const out = new Map<string, string>();
  for (const h of hooks) {
    if (!h.message || h.status < 200 || h.status > 299) continue;
    if (ranks.includes(h.kind) && ranks.indexOf(h.kind) > ranks.indexOf(out.get(h.message) ?? '')) out.set(h.message, h.kind);
  }
  return out;
}

/** latest are the last messages of both sides that something can be done with. */
export function latest(rows: Bubble[]) {
  const there = (r: Bubble) => r.id !== undefined && !r.event && !r.deleted;
  return { mine: rows.findLast((r) => r.mine && there(r)), theirs: rows.findLast((r) => !r.mine && there(r)) };
}
