import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import type { Caller, Conversation } from '../../src/api/client';
import type { Listing } from '../../src/api/queries';
import { belongs, keepConversation, known, type Pages, placed, readListsAgain } from '../../src/live/lists';
import { held } from '../../src/screens/inbox/list/held';

const c = (id: string, minute: number, more: Partial<Conversation> = {}): Conversation =>
  ({ id, kind: 'messages', status: 'open', assignee: null, unread_count: 0, tags: [], channel: { id: 'ch' }, queue_id: null, opened_at: '2026-01-01T00:00:00Z', last_message: { at: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z` }, ...more }) as Conversation;
const me = { agent_id: 'agt_me' } as Caller;
const all: Listing = { view: 'all', kind: 'messages', sort: '-last_message_at' };
const pages = (more: boolean, ...lists: Conversation[][]): Pages => ({ pages: lists.map((data, n) => ({ data, next_cursor: 'x', has_more: n < lists.length - 1 || more })), pageParams: [] });
const ids = (p: Pages) => p.pages.flatMap((x) => x.data.map((y) => y.id));

test('a conversation moves to its place, in whatever page that is', () => {
  const p = pages(false, [c('a', 9), c('b', 8)], [c('d', 5), c('e', 4)]);
  expect(ids(placed(p, all, c('e', 10), true))).toEqual(['e', 'a', 'b', 'd']);
  expect(ids(placed(p, all, c('n', 6), true))).toEqual(['a', 'b', 'n', 'd', 'e']);
  expect(ids(placed(p, all, c('d', 5), false))).toEqual(['a', 'b', 'e']);
  expect(ids(placed(p, { ...all, sort: 'last_message_at' }, c('z', 59), true)).at(-1)).toBe('z');
});

test('only pages in which something changes are made anew', () => {
  const p = pages(true, [c('a', 9), c('b', 8)], [c('d', 5), c('e', 4)], [c('f', 3)]);
  const after = placed(p, all, c('b', 6), true);
  expect(ids(after)).toEqual(['a', 'b', 'd', 'e', 'f']);
  expect(after.pages.map((x, n) => x === p.pages[n])).toEqual([false, false, true]);
  expect(placed(p, all, c('z', 1), false)).toBe(p);
});

test('what is further down than what was read is not put at the end', () => {
  const p = pages(true, [c('a', 9), c('b', 8)]);
  expect(ids(placed(p, all, c('old', 1), true))).toEqual(['a', 'b']);
  expect(ids(placed(pages(false, [c('a', 9)]), all, c('old', 1), true))).toEqual(['a', 'old']);
});

test('views are as the API has them; of some only the server knows', () => {
  const mine = c('x', 1, { assignee: { id: 'agt_me', name: 'Me' } });
  const of = (view: Listing['view']) => ({ ...all, view });
  expect(belongs(of('mine'), mine, me)).toBe(true);
  expect(belongs(of('mine'), { ...mine, status: 'snoozed' }, me)).toBe(false);
  expect(belongs(of('unassigned'), mine, me)).toBe(false);
  expect(belongs(of('assigned'), mine, me)).toBe(true);
  expect(belongs(of('resolved'), { ...mine, status: 'closed' }, me)).toBe(true);
  expect(belongs(of('team'), mine, me)).toBeUndefined();
  expect(belongs({ ...all, kind: 'comments' }, mine, me)).toBe(false);
  expect(belongs({ ...all, tag: 'vip' }, { ...mine, tags: ['vip'] }, me)).toBe(true);
  expect(belongs({ ...all, unread: true }, mine, me)).toBe(false);
});

test('rows that are being read stay in their order, each as it is now', () => {
  const shown = held([c('a', 9), c('b', 8), c('d', 7)], [c('n', 20), c('d', 19, { unread_count: 3 }), c('a', 9), c('b', 8), c('e', 1)]);
  expect(shown.rows.map((x) => x.id)).toEqual(['a', 'b', 'd', 'e']);
  expect(shown.rows[2]?.unread_count).toBe(3);
  expect(shown.moved).toBe(2);
  expect(held([c('a', 9), c('b', 8)], [c('b', 2)]).rows.map((x) => x.id)).toEqual(['b']);
  const longer = [c('a', 9), c('b', 8, { unread_count: 1 }), c('e', 1)];
  expect(held([c('a', 9), c('b', 8)], longer)).toEqual({ rows: longer, moved: 0 });
});

test.each<[string, Partial<Conversation>, boolean]>([
  ['the same', { version: 2, seq: 5 }, true],
  ['something was said since', { version: 2, seq: 6 }, true],
  ['from before what was said', { version: 2, seq: 4 }, false],
  ['from before a change', { version: 1, seq: 5 }, false],
])('an answer that was overtaken is not taken: %s', (_, answer, taken) => {
  const cache = new QueryClient();
  keepConversation(cache, c('a', 1, { version: 2, seq: 5, tags: ['known'] }), me);
  keepConversation(cache, c('a', 1, { ...answer, tags: ['answer'] }), me);
  expect(cache.getQueryData<Conversation>(['conversation', 'a'])?.tags).toEqual([taken ? 'answer' : 'known']);
});

test('lists of which only the server knows are named, once each, and the others are changed at once', () => {
  const cache = new QueryClient();
  const team: Listing = { ...all, view: 'team' };
  cache.setQueryData(['conversations', all], pages(false, [c('a', 9), c('b', 8)]));
  cache.setQueryData(['conversations', team], pages(false, [c('a', 9)]));
  expect(keepConversation(cache, c('b', 10), me)).toEqual([['conversations', team]]);
  expect(ids(cache.getQueryData(['conversations', all]) as Pages)).toEqual(['b', 'a']);
});

test('of a list of 100,000 rows a part is read again', async () => {
  const cache = new QueryClient();
  const many = pages(true, ...Array.from({ length: 500 }, (_, n) => Array.from({ length: 200 }, (_, k) => c(`${n}.${k}`, 1))));
  cache.setQueryData(['conversations', all], { ...many, pageParams: many.pages.map((_, n) => (n === 0 ? undefined : String(n))) });
  await readListsAgain(cache);
  const after = cache.getQueryData(['conversations', all]) as Pages;
  expect(after.pages).toHaveLength(10);
  expect(after.pageParams).toHaveLength(10);
  expect(cache.getQueryState(['conversations', all])?.isInvalidated).toBe(true);
  expect(known(cache, 50)).toHaveLength(50);
});
