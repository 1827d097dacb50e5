import { hashKey, type QueryClient, type QueryKey, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { api, type Caller, data, sessionIsOver } from '../api/client';
import { Gatherer, type Notice, type Told } from './catchup';
import { beingRead, forgetConversation, keepConversation, readListsAgain } from './lists';
import type { Heard } from './sse';
import { type Connection, Stream } from './stream';
import { again, keepMessage, missing, newer, type Timeline, timeline, timelineKey, withEnd } from './timeline';

/** Typist is somebody who is typing in a conversation. */
export interface Typist {
  name: string;
  kind: string;
  until: number;
}

// Who has said for this long that they are typing, and no more, has stopped.
const typingFor = 8_000;
// So many conversations are read one by one; with more of them it is cheaper to read the lists.
const fewConversations = 20;
// What happens within this time, in milliseconds, beside what is in front of somebody, is read once.
const spacing = 120;

/** Live is what is heard, written into the cache; parts of the page ask it for what is not in the cache. */
class Live {
  connection: Connection = { state: 'connecting' };
  typing = new Map<string, Typist>();
  /** how often everything had to be read anew, because the server does not keep what was missed */
  caughtUp = 0;
  private listeners = new Set<() => void>();
  private stream: Stream | undefined;
  /** what is in front of somebody: it is read at once, and for at most half of the time however much happens */
  private readonly front = new Gatherer((told) => this.readFront(told), (took) => Math.min(took, spacing));
  /** all the rest, which may be a moment older */
  private readonly behind = new Gatherer((told) => this.readBehind(told), () => spacing);
  /** lists of which only the server knows what is in them by now */
  private unsure = new Map<string, QueryKey>();

  constructor(
    private readonly cache: QueryClient,
    private readonly me: Caller,
  ) {}

  start(): () => void {
    const stream = new Stream({
      heard: (event) => this.heard(event),
      changed: (now) => {
        this.connection = now;
        this.tell();
      },
      signedOut: sessionIsOver,
    });
    this.stream = stream;
    stream.start();
    const wake = () => document.visibilityState === 'visible' && stream.wake();
    document.addEventListener('visibilitychange', wake);
    addEventListener('online', wake);
    addEventListener('focus', wake);
    return () => {
      document.removeEventListener('visibilitychange', wake);
      removeEventListener('online', wake);
      removeEventListener('focus', wake);
      stream.stop();
    };
  }

  again(): void {
    this.stream?.wake();
  }

  subscribe = (f: () => void): (() => void) => {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  };

  private tell(): void {
    for (const f of this.listeners) f();
  }

  private heard(event: Heard): void {
    const notice = JSON.parse(event.data || '{}') as Notice;
    const id = notice.conversation_id;
    switch (event.type) {
      case 'ready':
        return;
      case 'resync':
        this.caughtUp += 1;
        void this.cache.invalidateQueries({ predicate: (q) => !['timeline', 'me', 'conversations'].includes(String(q.queryKey[0])) });
        void readListsAgain(this.cache);
        for (const [key] of this.cache.getQueriesData<Timeline>({ queryKey: ['timeline'] })) void this.extend(key[1] as string, again).catch(() => undefined);
        this.tell();
        return;
      case 'typing':
        if (id) this.typed(id, notice);
        return;
      case 'conversation.gone':
        if (id) forgetConversation(this.cache, id);
        void this.cache.invalidateQueries({ queryKey: ['counters'] });
        return;
      case 'message.updated':
        if (id && notice.message_id) this.gatherer(id).changed(id, notice.message_id);
        return;
      default:
        if (id) this.gatherer(id).added(id, notice.seq);
        else if (notice.contact_id) void this.cache.invalidateQueries({ queryKey: ['contact', notice.contact_id] });
    }
    if (event.type === 'message.created' && id && this.typing.delete(id)) this.tell();
  }

  private typed(id: string, notice: Notice): void {
    if (!notice.typing) this.typing.delete(id);
    else {
      const until = Date.now() + typingFor;
      this.typing.set(id, { name: notice.by?.name ?? '', kind: notice.by?.kind ?? 'user', until });
      setTimeout(() => {
        if (this.typing.get(id)?.until === until && this.typing.delete(id)) this.tell();
      }, typingFor);
    }
    this.tell();
  }

  private gatherer(conversation: string): Gatherer {
    return this.cache.getQueryCache().find({ queryKey: timelineKey(conversation) })?.isActive() ? this.front : this.behind;
  }

  private async readFront(told: Map<string, Told>): Promise<void> {
    await Promise.allSettled([...told].map(([id, t]) => this.readConversation(id, t)));
    this.behind.wake();
  }

  private async readBehind(told: Map<string, Told>): Promise<void> {
    void this.cache.invalidateQueries({ queryKey: ['counters'] });
    void this.cache.invalidateQueries({ queryKey: ['indicator'] });
    const few = told.size <= fewConversations;
    const some = few ? [...told] : [...told].filter(([id]) => this.cache.getQueryData(timelineKey(id)));
    await Promise.allSettled(some.map(([id, t]) => this.readConversation(id, t)));
    const unsure = [...this.unsure.values()];
    this.unsure.clear();
    // Once per round, however much has changed in it.
    await readListsAgain(this.cache, few ? unsure : undefined);
  }

  /** readConversation reads at once all that was told of one: itself, what was added to its timeline, and the messages that changed. */
  private async readConversation(id: string, { added, changed }: Told): Promise<void> {
    const shown = this.cache.getQueryCache().find({ queryKey: timelineKey(id) }) !== undefined;
    await Promise.all([
      data(api.GET('/v1/conversations/{id}', { params: { path: { id } } })).then((now) => {
        const keep = () => keepConversation(this.cache, now, this.me).forEach((key) => this.unsure.set(hashKey(key), key));
        keep();
        void beingRead(this.cache).then((were) => were && keep());
      }),
      ...(shown ? [this.extend(id, (t) => newer(t, missing(t, added)))] : []),
      ...(shown ? [...changed] : []).map(async (m) => {
        const [now] = await Promise.all([data(api.GET('/v1/messages/{id}', { params: { path: { id: m } } })), this.timeline(id)]);
        keepMessage(this.cache, now);
      }),
    ]);
  }

  /** timeline is the one in the cache. One that is being read for the first time is waited for: it may be from before what was told. */
  private timeline(id: string): Promise<Timeline> {
    return this.cache.fetchQuery(timeline(id));
  }

  /** extend reads what has become of a timeline, with newer or again. */
  private async extend(id: string, read: (t: Timeline) => Promise<Timeline>): Promise<void> {
    const before = await this.timeline(id);
    const after = await read(before);
    if (after !== before) this.cache.setQueryData<Timeline>(timelineKey(id), (now) => (now && now !== before ? withEnd(now, after, before) : after));
  }
}

const context = createContext<Live | null>(null);

export function LiveProvider({ me, children }: { me: Caller; children: ReactNode }) {
  const cache = useQueryClient();
  const live = useMemo(() => new Live(cache, me), [cache, me]);
  useEffect(() => live.start(), [live]);
  return <context.Provider value={live}>{children}</context.Provider>;
}

function useLive(): Live {
  const live = useContext(context);
  if (!live) throw new Error('there is no LiveProvider around this');
  return live;
}

/** useConnection tells how the stream is, and how to connect at once. */
export function useConnection(): { connection: Connection; caughtUp: number; again: () => void } {
  const live = useLive();
  const connection = useSyncExternalStore(live.subscribe, () => live.connection);
  const caughtUp = useSyncExternalStore(live.subscribe, () => live.caughtUp);
  return { connection, caughtUp, again: () => live.again() };
}

/** useTypist tells who is typing in a conversation. */
export function useTypist(conversation: string): Typist | undefined {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, () => live.typing.get(conversation));
}

/** useLater returns true once something has been so for a while: short interruptions are not worth a word. */
export function useLater(is: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!is) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [is, ms]);
  return late && is;
}
