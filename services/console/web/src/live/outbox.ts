import { useSyncExternalStore } from 'react';
import type { Message, MessageInput } from '../api/client';
import { type Fault, faultOf } from '../api/fault';
import { keep, kept, onForget } from './keep';

/** Pending is a message that the server has not confirmed yet. */
export interface Pending {
  /** the idempotency key: however often it is sent, it is one message */
  key: string;
  conversation: string;
  input: MessageInput;
  files: { id: string; name: string; type: string; size: number }[];
  at: string;
  /** sending · waiting: is tried again by itself · refused: somebody has to decide */
  state: 'sending' | 'waiting' | 'refused';
  /** of a waiting one: when it is tried again */
  next?: number;
  problem?: { status: number; code: string; text: string; openConversation?: string };
}

export type Send = (p: Pending) => Promise<Message>;

const stored = 'outbox';

/**
 * Outbox sends messages in the order in which they were written, one at a time per conversation. What got no answer is sent again
 * under the same key, so that it cannot go out twice.
 */
export class Outbox {
  private list: Pending[];
  private busy = new Set<string>();
  private tries = new Map<string, number>();
  private listeners = new Set<() => void>();
  private timers = new Set<ReturnType<typeof setTimeout>>();
  /** the ids of messages whose calls were answered */
  readonly confirmed = new Set<string>();
  private send: Send | undefined;
  private sent: ((m: Message) => void) | undefined;

  constructor() {
    this.list = (kept<Pending[]>(stored) ?? []).map((p) => (p.state === 'refused' ? p : { ...p, state: 'waiting' as const }));
  }

  /** run sends with what it is given, until the returned function is called. */
  run(send: Send, sent: (m: Message) => void): () => void {
    this.send = send;
    this.sent = sent;
    this.wake();
    return () => {
      this.send = undefined;
      for (const t of this.timers) clearTimeout(t);
      this.timers.clear();
    };
  }

  add(p: Pick<Pending, 'conversation' | 'input' | 'files'>): void {
    this.change([...this.list, { ...p, key: crypto.randomUUID(), at: new Date().toISOString(), state: 'sending' }]);
    this.pump(p.conversation);
  }

  /** retry sends a refused one again; as another message, if it was changed or goes elsewhere. */
  retry(key: string, change?: Partial<Pick<Pending, 'input' | 'conversation'>>): void {
    const p = this.list.find((x) => x.key === key);
    if (!p) return;
    const again: Pending = { ...p, ...change, key: change ? crypto.randomUUID() : p.key, state: 'sending', problem: undefined, next: undefined };
    this.change(this.list.map((x) => (x.key === key ? again : x)));
    this.pump(again.conversation);
  }

  discard(key: string): Pending | undefined {
    const p = this.list.find((x) => x.key === key);
    this.change(this.list.filter((x) => x.key !== key));
    if (p) this.pump(p.conversation);
    return p;
  }

  /** wake tries everything that waits at once: the network is back, or somebody has signed in. */
  wake(): void {
    for (const id of new Set(this.list.map((p) => p.conversation))) this.pump(id);
  }

  of = (conversation: string): Pending[] => {
    const now = this.list.filter((p) => p.conversation === conversation);
    const before = this.shown.get(conversation);
    if (before && before.length === now.length && before.every((p, i) => p === now[i])) return before;
    this.shown.set(conversation, now);
    return now;
  };
  private shown = new Map<string, Pending[]>();

  subscribe = (f: () => void): (() => void) => {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  };

  private pump(conversation: string): void {
    const first = this.list.find((p) => p.conversation === conversation && p.state !== 'refused');
    if (!first || !this.send || this.busy.has(conversation)) return;
    this.busy.add(conversation);
    this.put({ ...first, state: 'sending', next: undefined });
    this.send(first).then(
      (m) => {
        this.busy.delete(conversation);
        this.tries.delete(first.key);
        this.confirmed.add(m.id);
        this.sent?.(m);
        this.change(this.list.filter((p) => p.key !== first.key));
        this.pump(conversation);
      },
      (error: unknown) => {
        this.busy.delete(conversation);
        this.failed(first, faultOf(error));
      },
    );
  }

  private failed(p: Pending, fault: Fault): void {
    const problem = { status: fault.status, code: fault.code, text: fault.message, openConversation: fault.problem.open_conversation_id };
    if (!fault.passing && fault.status < 500) {
      this.put({ ...p, state: 'refused', problem });
      this.pump(p.conversation);
      return;
    }
    const tries = (this.tries.get(p.key) ?? 0) + 1;
    this.tries.set(p.key, tries);
    const wait = Math.max(Math.min(30_000, 500 * 2 ** tries), (fault.after ?? 0) * 1000);
    this.put({ ...p, state: 'waiting', next: Date.now() + wait, problem });
    if (fault.status === 401) return; // until somebody signs in
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.pump(p.conversation);
    }, wait);
    this.timers.add(timer);
  }

  forget(): void {
    this.change([]);
  }

  private put(p: Pending): void {
    this.change(this.list.map((x) => (x.key === p.key ? p : x)));
  }

  private change(list: Pending[]): void {
    this.list = list;
    keep(stored, list.length > 0 ? list : undefined);
    for (const f of this.listeners) f();
  }
}

export const outbox = new Outbox();
onForget(() => outbox.forget());

/** usePending are the messages of a conversation that are not confirmed yet. */
export function usePending(conversation: string): Pending[] {
  return useSyncExternalStore(outbox.subscribe, () => outbox.of(conversation));
}
