import { expect, test } from 'vitest';
import type { Message, TimelineItem } from '../../src/api/client';
import { join, type Timeline, withEnd, withMessage } from '../../src/live/timeline';

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

test('a message is added behind the last one, and never over a hole', () => {
  expect(positions(withMessage(timeline(item(1), item(2)), message(3)))).toEqual(['1', '2', '3']);
  expect(positions(withMessage(timeline(item(1), item(2)), message(4)))).toEqual(['1', '2']);
  expect(positions(withMessage(timeline(item(1)), message(2, 1, 'another')))).toEqual(['1']);
});
