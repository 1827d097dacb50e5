import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { api, data, type Message, type TimelineItem } from '../api/client';

/** A Stretch is a part of one conversation's timeline, without holes: oldest first. */
export interface Stretch {
  conversation: string;
  items: TimelineItem[];
  /** where to go on with older items; null: it begins here */
  older: string | null;
  /** where to go on with newer items; null: it ends here, and what happens is added */
  newer: string | null;
}

/** Timeline is what is shown of a conversation: stretches of earlier conversations of the same person, then its own. */
export interface Timeline {
  stretches: Stretch[];
  /** earlier conversations that are not shown yet, newest first; null: not asked for yet */
  earlier: string[] | null;
}

const page = 50;

export const timelineKey = (id: string) => ['timeline', id] as const;

async function read(conversation: string, query: { before?: string; after?: string }, limit = page): Promise<Stretch> {
  const got = await data(api.GET('/v1/conversations/{id}/timeline', { params: { path: { id: conversation }, query: { limit, ...query } } }));
  return { conversation, items: got.data, older: got.prev_cursor, newer: got.next_cursor };
}

/** firstWindow reads the newest items of a conversation. */
export async function firstWindow(id: string): Promise<Timeline> {
  return { stretches: [await read(id, {})], earlier: null };
}

/** timeline is kept for ten minutes after somebody has looked at it, and kept up to date by what the stream tells. */
export const timeline = (id: string) => queryOptions({ queryKey: timelineKey(id), queryFn: () => firstWindow(id), staleTime: Infinity, gcTime: 600_000 });

/** older reads what comes before: of the oldest conversation shown, then of the contact's conversation before it. */
export async function older(t: Timeline, contact: string): Promise<Timeline> {
  const first = t.stretches[0];
  if (!first) return t;
  if (first.older !== null) {
    const more = await read(first.conversation, { before: first.older });
    return { ...t, stretches: [{ ...first, items: join(more.items, first.items), older: more.older }, ...t.stretches.slice(1)] };
  }
  let earlier = t.earlier;
  if (earlier === null) {
    const shown = t.stretches.map((s) => s.conversation);
    const list = await data(api.GET('/v1/contacts/{id}/conversations', { params: { path: { id: contact }, query: { limit: 200 } } }));
    const at = list.data.findIndex((c) => c.id === shown.at(-1));
    earlier = list.data.slice(at + 1).map((c) => c.id);
  }
  const [next, ...left] = earlier;
  if (next === undefined) return { ...t, earlier: [] };
  return { stretches: [await read(next, {}), ...t.stretches], earlier: left };
}

/** hasOlder says whether older may find something. */
export function hasOlder(t: Timeline): boolean {
  return t.stretches[0]?.older != null || t.earlier === null || t.earlier.length > 0;
}

/** missing are those of these places that are not there. What is further up than what was loaded is not missed: it is read when it is asked for. */
export function missing(t: Timeline, places: Iterable<number>): number[] {
  const items = t.stretches.at(-1)?.items ?? [];
  return [...places].filter((n) => {
    const at = items.findLast((i) => Number(i.position) <= n);
    return items.length === 0 || (at !== undefined && Number(at.position) !== n);
  });
}

/**
 * newer reads what was added at these places, and everything behind them, page after page. The last item that is there may stand behind
 * what is missing: messages and events are read one after the other, while others write.
 */
export async function newer(t: Timeline, places: number[]): Promise<Timeline> {
  const last = t.stretches.at(-1);
  if (!last || places.length === 0) return t;
  if (last.items.length === 0) return firstWindow(last.conversation);
  let now = last;
  for (let after: string | null = String(Math.min(end(last.items), Math.min(...places) - 1)); after !== null; ) {
    const more: Stretch = await read(last.conversation, { after });
    now = { ...now, items: join(now.items, more.items), newer: null };
    after = more.newer;
  }
  return { ...t, stretches: [...t.stretches.slice(0, -1), now] };
}

// What was loaded is read again up to so many pages of so many items; what is further up is read when it is asked for.
const pagesAgain = 5;
const pageAgain = 200;

/** again reads what is there once more, from its end: what is behind a gap in the stream may have changed as well as come. */
export async function again(t: Timeline): Promise<Timeline> {
  const last = t.stretches.at(-1);
  if (!last) return t;
  const begin = first(last.items);
  let fresh = await read(last.conversation, {}, pageAgain);
  for (let n = 1; n < pagesAgain && fresh.older !== null && first(fresh.items) > begin; n += 1) {
    const more = await read(last.conversation, { before: fresh.older }, pageAgain);
    fresh = { ...fresh, items: join(more.items, fresh.items), older: more.older };
  }
  if (first(fresh.items) > begin) return { stretches: [fresh], earlier: null };
  return { ...t, stretches: [...t.stretches.slice(0, -1), { ...fresh, items: join(last.items, fresh.items) }] };
}

const first = (items: TimelineItem[]) => Number(items[0]?.position ?? 0);
const end = (items: TimelineItem[]) => Number(items.at(-1)?.position ?? 0);

/**
 * withEnd returns a timeline with what another one has at its end: one was changed while the other was read. from is what was gone on with
 * to read it: what stands there unchanged was not read, and may be older than what is there now.
 */
export function withEnd(now: Timeline, read: Timeline, from?: Timeline): Timeline {
  const had = now.stretches.at(-1);
  const fresh = read.stretches.at(-1);
  if (!had || !fresh || had.conversation !== fresh.conversation) return now;
  if (first(fresh.items) > end(had.items) + 1) return read; // there is a hole between them
  const old = new Set(from?.stretches.at(-1)?.items);
  return { ...now, stretches: [...now.stretches.slice(0, -1), { ...had, items: join(had.items, fresh.items.filter((i) => !old.has(i))) }] };
}

/** join puts two runs of one conversation together; of a message that is in both, the one that more has happened to stays. */
export function join(a: TimelineItem[], b: TimelineItem[]): TimelineItem[] {
  const known = new Map(a.map((item) => [item.position, item]));
  for (const item of b) {
    const had = known.get(item.position);
    if (!had || happened(item) >= happened(had)) known.set(item.position, item);
  }
  return [...known.values()].sort((x, y) => Number(x.position) - Number(y.position));
}

/** happened counts what only ever grows with a message: answers may overtake each other. */
function happened({ message: m }: TimelineItem): number {
  if (!m) return 0;
  const actions = (m.actions ?? []).reduce((n, x) => n + (x.settled_at ? 2 : 1), 0);
  const files = (m.attachments ?? []).filter((a) => a.state !== 'pending').length;
  return m.statuses.length + m.attempts.length + actions + files + (m.edited_at ? 1 : 0) + (m.deleted_at ? 1 : 0);
}

/** withMessage returns a timeline in which a message is as given; one that is not there is added at its place. */
export function withMessage(t: Timeline, m: Message): Timeline {
  const stretches = t.stretches.map((s, i): Stretch => {
    if (s.conversation !== m.conversation_id) return s;
    const position = String(m.seq);
    const there = s.items.some((item) => item.position === position);
    const last = i === t.stretches.length - 1;
    if (!there && !(last && s.newer === null && m.seq === end(s.items) + 1)) return s; // there is a hole before it: it is read with what is in between
    return { ...s, items: join(s.items, [{ kind: 'message', position, message: m }]) };
  });
  return { ...t, stretches };
}

// So many items are kept of a timeline that nobody looks at.
const keptItems = 200;

/** recent is the end of a timeline: what is further up is read again when it is asked for. */
export function recent(t: Timeline): Timeline {
  const last = t.stretches.at(-1);
  if (!last || (t.stretches.length === 1 && last.items.length <= keptItems)) return t;
  const items = last.items.slice(-keptItems);
  const cut = items.length < last.items.length;
  return { stretches: [{ ...last, items, older: cut ? (items[0]?.position ?? null) : last.older }], earlier: null };
}

/** keepMessage writes a message into the timelines that are in the cache. */
export function keepMessage(cache: QueryClient, m: Message): void {
  cache.setQueriesData<Timeline>({ queryKey: ['timeline'] }, (t) => t && withMessage(t, m));
}
