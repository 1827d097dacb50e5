import { expect, test, vi } from 'vitest';
import type { Message, TimelineItem } from '../../src/api/client';
import { again, join, missing, newer, recent, type Timeline, withEnd, withMessage } from '../../src/live/timeline';
import { runs } from '../../src/screens/inbox/talk/Chunk';

const api = vi.hoisted(() => ({ timeline: (_: { before?: string; after?: string; limit: number }): unknown => undefined }));
vi.mock('../../src/api/client', () => ({
  api: { GET: (_: string, { params }: { params: { query: { limit: number } } }) => Promise.resolve({ data: api.timeline(params.query) }) },
  data: async (call: Promise<{ data: unknown }>) => (await call).data,
}));

const message = (seq: number, statuses = 1, conversation_id = 'c'): Message =>
  ({ id: `m${seq}`, seq, conversation_id, statuses: Array.from({ length: statuses }, () => ({ status: 's', at: '', source: '' })), attempts: [], actions: [] }) as unknown as Message;
const item = (seq: number, statuses = 1): TimelineItem => ({ kind: 'message', position: String(seq), message: message(seq, statuses) });
const timeline = (...items: TimelineItem[]): Timeline => ({ stretches: [{ conversation: 'c', items, older: null, newer: null }], earlier: null });
const positions = (t: Timeline) => t.stretches.flatMap((s) => s.items.map((i) => i.position));

test('runs are put together in the order of their numbers', () => {
  expect(join([item(9), item(10)], [item(10), item(11), item(100)]).map((i) => i.position)).toEqual(['9', '10', '11', '100']);
});

test('an answer that was overtaken does not take a status back', () => {
  const t = withMessage(timeline(item(1, 4)), message(1, 1));
  expect(t.stretches[0]?.items[0]?.message?.statuses).toHaveLength(4);
  expect(withMessage(t, message(1, 5)).stretches[0]?.items[0]?.message?.statuses).toHaveLength(5);
  expect(withEnd(t, timeline(item(1, 2), item(2))).stretches[0]?.items.map((i) => i.message?.statuses.length)).toEqual([4, 1]);
});

test('what was not read again takes nothing back that was changed meanwhile', () => {
  const from = timeline(item(1), item(2));
  const hidden = { ...item(2), message: { ...message(2), hidden: true } };
  const now = timeline(item(1), hidden);
  const read = timeline(...(from.stretches[0]?.items ?? []), item(3));
  const after = withEnd(now, read, from);
  expect(positions(after)).toEqual(['1', '2', '3']);
  expect(after.stretches[0]?.items[1]?.message?.hidden).toBe(true);
});

test.each<[string, object, object]>([
  ['a file is there', { attachments: [{ state: 'pending' }] }, { attachments: [{ state: 'ready' }] }],
  ['it was edited', {}, { edited_at: 'now' }],
  ['it was taken back', {}, { deleted_at: 'now' }],
  ['an action has come to its end', { actions: [{}] }, { actions: [{ settled_at: 'now' }] }],
])('an answer from before does not take back that %s', (_, before, after) => {
  const of = (more: object) => ({ ...message(1), ...more }) as Message;
  const t = withMessage(timeline({ ...item(1), message: of(after) }), of(before));
  expect(t.stretches[0]?.items[0]?.message).toMatchObject(after);
});

test('a message is added behind the last one, and never over a hole', () => {
  expect(positions(withMessage(timeline(item(1), item(2)), message(3)))).toEqual(['1', '2', '3']);
  expect(positions(withMessage(timeline(item(1), item(2)), message(4)))).toEqual(['1', '2']);
  expect(positions(withMessage(timeline(item(1)), message(2, 1, 'another')))).toEqual(['1']);
});

test('a hole at the end is not closed over', () => {
  const fresh = timeline(item(300), item(301));
  expect(positions(withEnd(timeline(item(1), item(2)), fresh))).toEqual(['300', '301']);
  expect(positions(withEnd(timeline(item(1), item(2)), timeline(item(3))))).toEqual(['1', '2', '3']);
});

test('of a timeline that nobody looks at its end is kept, and it can be gone on with from there', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => item(n + 1));
  const t: Timeline = { stretches: [{ conversation: 'earlier', items: [item(1)], older: null, newer: null }, ...timeline(...many).stretches], earlier: ['first'] };
  const kept = recent(t);
  expect(kept.stretches).toHaveLength(1);
  expect(kept.stretches[0]?.items).toHaveLength(200);
  expect(kept.stretches[0]?.older).toBe('9801');
  expect(kept.earlier).toBeNull();
  const short = timeline(item(1));
  expect(recent(short)).toBe(short);
});

/** serving answers like the API, from so many messages. */
function serving(count: number, statuses: number) {
  const calls: { before?: string; limit: number }[] = [];
  api.timeline = (query) => {
    calls.push(query);
    const last = Number(query.before ?? count + 1) - 1;
    const begin = Math.max(1, last - query.limit + 1);
    const data = Array.from({ length: last - begin + 1 }, (_, n) => item(begin + n, statuses));
    return { data, prev_cursor: begin > 1 ? String(begin) : null, next_cursor: null, has_more: begin > 1 };
  };
  return calls;
}

test.each<[string, number[], number[], number[]]>([
  ['what is behind the end', [5, 6], [7, 8], [7, 8]],
  ['what is there already', [5, 6], [5, 6], []],
  ['a hole in front of the end', [5, 7], [6, 7], [6]],
  ['what is further up than what was loaded', [5, 6], [2], []],
  ['anything, where there is nothing', [], [1], [1]],
])('of what was told is missing: %s', (_, there, told, want) => {
  expect(missing(timeline(...there.map((n) => item(n))), told)).toEqual(want);
});

test('what was added is read from the first that is missing, and nothing where nothing is', async () => {
  const asked: unknown[] = [];
  api.timeline = (query) => {
    asked.push(query.after);
    const from = Number(query.after) + 1;
    const data = [from, from + 1].filter((n) => n <= 9).map((n) => item(n));
    return { data, prev_cursor: null, next_cursor: from + 1 < 9 ? String(from + 1) : null, has_more: from + 1 < 9 };
  };
  const t = timeline(item(5), item(7));
  expect(await newer(t, [])).toBe(t);
  expect(asked).toEqual([]);
  expect(positions(await newer(t, [6, 8]))).toEqual(['5', '6', '7', '8', '9']);
  expect(asked).toEqual(['5', '7']);
});

test('after a gap everything that is there is read again, and what came in with it', async () => {
  serving(420, 3);
  const t = await again(timeline(...Array.from({ length: 300 }, (_, n) => item(n + 51))));
  expect(positions(t).at(0)).toBe('21');
  expect(positions(t).at(-1)).toBe('420');
  expect(new Set(t.stretches[0]?.items.map((i) => i.message?.statuses.length))).toEqual(new Set([3]));
});

test('after a gap that is too wide, only the end is read, without a hole', async () => {
  const calls = serving(5_000, 1);
  const t = await again(timeline(item(1), item(2)));
  expect(calls).toHaveLength(5);
  expect(positions(t)).toHaveLength(1_000);
  expect(positions(t)[0]).toBe('4001');
  expect(t.stretches[0]?.older).toBe('4001');
});

test('a timeline is drawn in runs whose borders stay when older and newer items come in', () => {
  const of = (from: number, to: number) => runs([{ conversation: 'c', items: Array.from({ length: to - from + 1 }, (_, n) => item(from + n)), older: null, newer: null }]);
  const before = of(60, 130);
  const after = of(10, 140);
  const shape = (all: ReturnType<typeof runs>) => Object.fromEntries(all.map((r) => [r.key, r.items.map((i) => i.position).join()]));
  expect(after.length).toBeGreaterThan(before.length);
  for (const full of before.slice(1, -1)) expect(shape(after)[full.key]).toBe(shape(before)[full.key]);
  expect(after[0]?.before).toBeUndefined();
  expect(after[1]?.before).toBe(after[0]?.items.at(-1));
});
