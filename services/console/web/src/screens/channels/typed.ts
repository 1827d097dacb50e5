import { useSyncExternalStore } from 'react';
import { keep, kept, onForget } from '../../live/keep';
import type { Field, Values } from './form';

/** Typed is what stands in a channel's form and is not saved. It outlives a reload, all but the secrets: those are kept in memory alone. */
export interface Typed {
  /** of a channel that is to be created */
  type?: string;
  values: Values;
  secrets: Values;
  /** what each value was when its change began: another one now was written by somebody else */
  was: Values;
  /** the idempotency key of the creation, the same for all its tries */
  key: string;
}

const prefix = 'channel:';
const held = new Map<string, Typed>();
const listeners = new Set<() => void>();

function of(id: string): Typed {
  let t = held.get(id);
  if (!t) {
    t = { values: {}, was: {}, key: crypto.randomUUID(), ...kept<Partial<Typed>>(prefix + id), secrets: {} };
    held.set(id, t);
  }
  return t;
}

function set(id: string, to: Partial<Typed>): void {
  const { secrets, ...rest } = { ...of(id), ...to };
  held.set(id, { ...rest, secrets });
  keep(prefix + id, Object.keys(rest.values).length === 0 && !rest.type ? undefined : rest);
  for (const f of listeners) f();
}

onForget(() => {
  held.clear();
  for (const f of listeners) f();
});

const subscribe = (f: () => void) => {
  listeners.add(f);
  return () => listeners.delete(f);
};

/** useTyped is what is typed into the form of a channel; id is new for one that is to be created. */
export function useTyped(id: string) {
  const typed = useSyncExternalStore(subscribe, () => of(id));
  return {
    typed,
    type: (key: string, text: string, before: string, field?: Field) => {
      const t = of(id);
      if (field?.secret) set(id, { secrets: { ...t.secrets, [key]: text } });
      else set(id, { values: { ...t.values, [key]: text }, was: { ...t.was, [key]: t.was[key] ?? before } });
    },
    /** take replaces everything, as another type of channel does, or a filled-in form. */
    take: (to: Partial<Typed>) => set(id, { values: {}, secrets: {}, was: {}, key: crypto.randomUUID(), ...to }),
    /** renew is for a call that is another one than before: it is not the same creation tried again. */
    renew: () => set(id, { key: crypto.randomUUID() }),
    /** drop takes what was typed about one field back. */
    drop: (key: string) => {
      const t = of(id);
      const without = ({ [key]: _, ...rest }: Values) => rest;
      set(id, { values: without(t.values), was: without(t.was), secrets: without(t.secrets) });
    },
  };
}
