import { useSyncExternalStore } from 'react';
import { keep, kept, onForget } from '../../live/keep';
import { bare, type Inbound, type Kind } from './types';

/** Person is somebody whom this tab plays. */
export interface Person {
  from: string;
  name: string;
  /** as the provider names them to the gateway, where that is not the number itself */
  peer?: string;
  /** of Telegram: the connection of the business account to whose owner they write */
  business?: string;
  /** of Facebook: the post below which they comment */
  post?: string;
}

/** Said is something that a person did here, and what became of its webhook. */
export interface Said {
  key: string;
  kind: Kind;
  text: string;
  at: string;
  /** the provider's id of the message */
  id?: string;
  /** the message that is reacted to, edited or deleted */
  target?: string;
  /** what is quoted */
  quote?: string;
  file?: string;
  state: 'under way' | 'taken' | 'not taken';
  status?: number;
}

interface Played {
  people: Person[];
  at: number;
  said: Record<string, Said[]>;
}

// What is kept of one person; a tab's storage is small.
const most = 200;
const held = new Map<string, Played>();
const listeners = new Set<() => void>();

const first: Person = { from: '+628125550117', name: 'Siti Rahmawati' };

function of(account: string): Played {
  let p = held.get(account);
  if (!p) {
    p = kept<Played>(`simulator:${account}`) ?? { people: [first], at: 0, said: {} };
    held.set(account, p);
  }
  return p;
}

function change(account: string, to: Partial<Played>): void {
  const after = { ...of(account), ...to };
  held.set(account, after);
  keep(`simulator:${account}`, after);
  for (const f of listeners) f();
}

onForget(() => {
  held.clear();
  words.clear();
  for (const f of listeners) f();
});

const subscribe = (f: () => void) => {
  listeners.add(f);
  return () => listeners.delete(f);
};

/** usePeople are the people who are played on an account; they outlive a reload in this tab. */
export function usePeople(account: string) {
  const p = useSyncExternalStore(subscribe, () => of(account));
  const person = p.people[p.at] ?? p.people[0] ?? first;
  return {
    people: p.people,
    person,
    said: p.said[person.from] ?? none,
    pick: (from: string) => change(account, { at: Math.max(0, p.people.findIndex((x) => x.from === from)) }),
    add: (one: Person) => {
      const rest = p.people.filter((x) => x.from !== one.from);
      change(account, { people: [...rest, one], at: rest.length });
    },
    remove: (from: string) => {
      const { [from]: _, ...said } = of(account).said;
      change(account, { people: p.people.length > 1 ? p.people.filter((x) => x.from !== from) : p.people, at: 0, said });
    },
  };
}

const none: Said[] = [];

/** say adds what somebody did, or changes what is known of it. */
export function say(account: string, from: string, one: Said): void {
  const p = of(account);
  const before = p.said[from] ?? [];
  const at = before.findIndex((s) => s.key === one.key);
  const after = at < 0 ? [...before, one] : before.map((s) => (s.key === one.key ? one : s));
  change(account, { said: { ...p.said, [from]: after.slice(-most) } });
}

/** met remembers how the provider names somebody to the gateway. */
export function met(account: string, from: string, peer: string | undefined): void {
  if (!peer || peer === bare(from)) return;
  change(account, { people: of(account).people.map((x) => (x.from === from ? { ...x, peer } : x)) });
}

/** forget empties the talk of one person. */
export function forget(account: string, from: string): void {
  const { [from]: _, ...said } = of(account).said;
  change(account, { said });
}

const words = new Map<string, string>();

/** useWords is what somebody has typed and not sent. It outlives a reload, and that somebody else is played meanwhile. */
export function useWords(account: string, from: string): [string, (to: string | ((now: string) => string)) => void] {
  const at = `simulator:words:${account}:${from}`;
  const read = () => {
    let text = words.get(at);
    if (text === undefined) words.set(at, (text = kept<string>(at) ?? ''));
    return text;
  };
  const text = useSyncExternalStore(subscribe, read);
  const set = (to: string | ((now: string) => string)) => {
    const after = typeof to === 'function' ? to(read()) : to;
    words.set(at, after);
    keep(at, after || undefined);
    for (const f of listeners) f();
  };
  return [text, set];
}

/** action is what the simulator is asked to do as a person. */
export const action = (type: string, account: string, p: Person, what: Partial<Inbound>): Inbound => ({ type, account, from: p.from, name: p.name, ...(p.business && { business: p.business }), ...(p.post && { post: p.post }), ...what });
