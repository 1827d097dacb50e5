import { infiniteQueryOptions, keepPreviousData, queryOptions, replaceEqualDeep } from '@tanstack/react-query';
import { api, type Conversation, data } from './client';

/** What the list of conversations is narrowed to; it is the address of the page, too. */
export interface Listing {
  view: View;
  kind: 'messages' | 'comments';
  sort: '-last_message_at' | 'last_message_at' | '-waiting_since';
  unread?: true;
  channel_id?: string;
  queue_id?: string;
  tag?: string;
}

/** listed is what an address says the list shows. */
export const listed = (search: Partial<Listing>): Listing => ({ view: 'all', kind: 'messages', sort: '-last_message_at', ...search });

export const views = ['all', 'mine', 'unassigned', 'assigned', 'resolved', 'unresponded', 'team', 'snoozed', 'blocked'] as const;
export type View = (typeof views)[number];

export const me = queryOptions({ queryKey: ['me'], queryFn: () => data(api.GET('/v1/auth/me')), staleTime: Infinity, retry: false });

export const counters = queryOptions({ queryKey: ['counters'], queryFn: () => data(api.GET('/v1/counters')) });

export const agents = queryOptions({ queryKey: ['agents'], queryFn: () => all((cursor) => data(api.GET('/v1/agents', { params: { query: { limit: 200, cursor } } }))), staleTime: 30_000 });

export const queues = queryOptions({ queryKey: ['queues'], queryFn: () => all((cursor) => data(api.GET('/v1/queues', { params: { query: { limit: 200, cursor } } }))), staleTime: 30_000 });

export const channels = queryOptions({ queryKey: ['channels'], queryFn: () => all((cursor) => data(api.GET('/v1/channels', { params: { query: { limit: 200, cursor } } }))), staleTime: 60_000 });

export const channel = (id: string) => queryOptions({ queryKey: ['channel', id], queryFn: () => data(api.GET('/v1/channels/{id}', { params: { path: { id } } })), staleTime: 60_000 });

export const channelTypes = queryOptions({ queryKey: ['channel-types'], queryFn: async () => (await data(api.GET('/v1/channel-types'))).data, staleTime: Infinity });

/** simulated are the accounts that the simulator plays; where there is no simulator it fails with 404. */
export const simulated = queryOptions({ queryKey: ['simulated'], queryFn: async () => (await data(api.GET('/simulator/accounts'))).data, staleTime: 30_000, retry: false });

/** offers are the types that the simulator plays, each with an account that is made up for the one who asks. */
export const offers = queryOptions({ queryKey: ['simulated-types'], queryFn: async () => (await data(api.GET('/simulator/types'))).data, staleTime: Infinity, retry: false });

export const settings = queryOptions({ queryKey: ['settings'], queryFn: () => data(api.GET('/v1/tenant-settings')), staleTime: 60_000, retry: false });

// The first page is what is seen at once; whoever scrolls further gets more at a time.
const firstPage = 50;
const nextPages = 200;

export const listing = (of: Listing) =>
  infiniteQueryOptions({
    queryKey: ['conversations', of],
    queryFn: ({ pageParam }) => data(api.GET('/v1/conversations', { params: { query: { ...of, limit: pageParam === undefined ? firstPage : nextPages, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

/** indicator says of a view whether anything is in it, and whether anything in it is unread. */
export const indicator = (view: View, kind: Listing['kind']) =>
  queryOptions({
    queryKey: ['indicator', kind, view],
    queryFn: async () => {
      const first = (unread?: true) => data(api.GET('/v1/conversations', { params: { query: { view, kind, unread, limit: 1 } } }));
      if ((await first(true)).data.length > 0) return 'unread' as const;
      return (await first()).data.length > 0 ? ('read' as const) : ('empty' as const);
    },
  });

/** overtaken says that an answer is from before what is known already. */
export const overtaken = (known: Conversation | undefined, answer: Conversation): boolean => !!known && (known.version > answer.version || known.seq > answer.seq);

export const conversation = (id: string) =>
  queryOptions({
    queryKey: ['conversation', id],
    queryFn: () => data(api.GET('/v1/conversations/{id}', { params: { path: { id } } })),
    structuralSharing: (known, answer) => (overtaken(known as Conversation | undefined, answer as Conversation) ? known : replaceEqualDeep(known, answer)),
  });

export const contact = (id: string) => queryOptions({ queryKey: ['contact', id], queryFn: () => data(api.GET('/v1/contacts/{id}', { params: { path: { id } } })) });

export const contactConversations = (id: string) =>
  queryOptions({ queryKey: ['contact', id, 'conversations'], queryFn: () => data(api.GET('/v1/contacts/{id}/conversations', { params: { path: { id }, query: { limit: 20 } } })) });

export const decisions = (id: string) =>
  queryOptions({ queryKey: ['routing', id], queryFn: () => data(api.GET('/v1/conversations/{id}/routing', { params: { path: { id }, query: { limit: 50 } } })) });

export const deliveries = (id: string) => queryOptions({ queryKey: ['deliveries', id], queryFn: () => data(api.GET('/v1/messages/{id}/deliveries', { params: { path: { id } } })) });

interface Paged<T> {
  data: T[];
  next_cursor: string | null;
  has_more: boolean;
}

/** all reads a list of configuration to its end. */
async function all<T>(page: (cursor: string | undefined) => Promise<Paged<T>>): Promise<T[]> {
  const out: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const { data, next_cursor, has_more } = await page(cursor);
    out.push(...data);
    if (!has_more || !next_cursor) return out;
    cursor = next_cursor;
  }
}
