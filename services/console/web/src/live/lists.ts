import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import type { Caller, Conversation } from '../api/client';
import { type Listing, overtaken } from '../api/queries';

interface Page {
  data: Conversation[];
  next_cursor: string | null;
  has_more: boolean;
}

export type Pages = InfiniteData<Page, string | undefined>;

/** belongs says whether a conversation is in a list; undefined: only the server knows (blocked contacts, teams). */
export function belongs(of: Listing, c: Conversation, me: Caller): boolean | undefined {
  if (c.kind !== of.kind) return false;
  if (of.unread && c.unread_count === 0) return false;
  if (of.channel_id && c.channel.id !== of.channel_id) return false;
  if (of.queue_id && c.queue_id !== of.queue_id) return false;
  if (of.tag && !c.tags.includes(of.tag)) return false;
  switch (of.view) {
    case 'all':
      return true;
    case 'mine':
      return c.status === 'open' && c.assignee?.id === me.agent_id;
    case 'resolved':
      return c.status === 'closed';
    case 'snoozed':
      return c.status === 'snoozed';
    case 'unassigned':
      return c.status === 'open' && c.assignee === null;
    case 'assigned':
      return c.status === 'open' && c.assignee !== null;
    default:
      return undefined;
  }
}

const rank: Record<Listing['sort'], (c: Conversation) => number> = {
  '-last_message_at': (c) => -at(c.last_message?.at ?? c.opened_at),
  last_message_at: (c) => at(c.last_message?.at ?? c.opened_at),
  '-waiting_since': (c) => (c.waiting_since ? at(c.waiting_since) : Infinity),
};

const at = (time: string) => Date.parse(time);

/** placed returns the pages with a conversation at its place, or without it if it does not belong there any more. Pages without a change stay the same. */
export function placed(pages: Pages, of: Listing, c: Conversation, inside: boolean): Pages {
  const from = pages.pages.findIndex((p) => p.data.some((x) => x.id === c.id));
  if (from < 0 && !inside) return pages;
  const now = [...pages.pages];
  const change = (n: number, to: (data: Conversation[]) => Conversation[]) => {
    const page = now[n];
    if (page) now[n] = { ...page, data: to(page.data) };
  };
  if (from >= 0) change(from, (data) => data.filter((x) => x.id !== c.id));
  if (!inside) return { ...pages, pages: now };
  const key = rank[of.sort];
  for (const [n, p] of now.entries()) {
    const i = p.data.findIndex((x) => key(x) > key(c));
    const last = n === now.length - 1;
    if (i < 0 && !last) continue;
    if (i < 0 && p.has_more && from < 0) return pages; // it is further down than what has been read
    change(n, (data) => data.toSpliced(i < 0 ? data.length : i, 0, c));
    break;
  }
  return { ...pages, pages: now };
}

/**
 * keepConversation writes a conversation into everything in the cache that shows it. It returns the lists of which only the server knows
 * whether it is in them: they are to be read again.
 */
export function keepConversation(cache: QueryClient, c: Conversation, me: Caller): QueryKey[] {
  const unsure: QueryKey[] = [];
  if (overtaken(cache.getQueryData<Conversation>(['conversation', c.id]), c)) return unsure;
  cache.setQueryData(['conversation', c.id], c);
  for (const [key, pages] of cache.getQueriesData<Pages>({ queryKey: ['conversations'] })) {
    const of = key[1] as Listing;
    const inside = belongs(of, c, me);
    if (inside === undefined) unsure.push(key);
    else if (pages) cache.setQueryData(key, placed(pages, of, c, inside));
  }
  return unsure;
}

/** beingRead waits for lists that are under way: their answers may be from before a change. It says whether there were any. */
export async function beingRead(cache: QueryClient): Promise<boolean> {
  const lists = cache.getQueryCache().findAll({ queryKey: ['conversations'], fetchStatus: 'fetching' });
  await Promise.allSettled(lists.map((q) => q.promise));
  return lists.length > 0;
}

// So many pages of a list are read again at most. What is further down is read when somebody scrolls there.
const pagesReread = 10;

/** readListsAgain reads the lists with these keys again, or all of them: what is shown at once, the others when they are. */
export async function readListsAgain(cache: QueryClient, keys: QueryKey[] = [['conversations']]): Promise<void> {
  for (const queryKey of keys) {
    cache.setQueriesData<Pages>({ queryKey }, (list) =>
      list && list.pages.length > pagesReread ? { pages: list.pages.slice(0, pagesReread), pageParams: list.pageParams.slice(0, pagesReread) } : list,
    );
  }
  await Promise.all(keys.map((queryKey) => cache.invalidateQueries({ queryKey })));
}

/** rowOf is a conversation as a list in the cache has it. */
export function rowOf(cache: QueryClient, id: string): Conversation | undefined {
  for (const [, list] of cache.getQueriesData<Pages>({ queryKey: ['conversations'] })) {
    for (const page of list?.pages ?? []) {
      const found = page.data.find((c) => c.id === id);
      if (found) return found;
    }
  }
  return undefined;
}

/** known are conversations of the lists in the cache, each once, at most so many. */
export function known(cache: QueryClient, most: number): Conversation[] {
  const out = new Map<string, Conversation>();
  for (const [, list] of cache.getQueriesData<Pages>({ queryKey: ['conversations'] })) {
    for (const page of list?.pages ?? []) {
      for (const c of page.data) {
        if (out.size >= most) return [...out.values()];
        out.set(c.id, c);
      }
    }
  }
  return [...out.values()];
}

/** forgetConversation takes a conversation that the caller may not see any more out of the lists. */
export function forgetConversation(cache: QueryClient, id: string): void {
  cache.setQueriesData<Pages>(
    { queryKey: ['conversations'] },
    (pages) => pages && { ...pages, pages: pages.pages.map((p) => ({ ...p, data: p.data.filter((c) => c.id !== id) })) },
  );
  void cache.invalidateQueries({ queryKey: ['conversation', id] });
}
