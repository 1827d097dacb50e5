import { expect, test } from 'vitest';
import type { TimelineItem } from '../../src/api/client';
import type { Pending } from '../../src/live/outbox';
import { stillWaiting } from '../../src/screens/inbox/talk/waiting';

const sent = (key: string, text: string, more: Partial<Pending> = {}) => ({ key, input: { text }, state: 'sending', ...more }) as Pending;
const note = { input: { direction: 'note', text: 'ok' } } as Partial<Pending>;
const item = (position: number, text: string, direction = 'outbound') => ({ kind: 'message', position: String(position), message: { id: `m${position}`, text, direction } }) as TimelineItem;

// Each was written when the timeline ended with place 10.
test.each<[string, Pending[], TimelineItem[], string[], string[]]>([
  ['what is not there yet', [sent('a', 'ok')], [item(10, 'hi')], [], ['a']],
  ['what has come in before its answer', [sent('a', 'ok')], [item(11, 'ok')], [], []],
  ['the same was said before', [sent('a', 'ok')], [item(10, 'ok')], [], ['a']],
  ['the customer says the same', [sent('a', 'ok')], [item(11, 'ok', 'inbound')], [], ['a']],
  ['a note is no reply', [sent('a', 'ok', note)], [item(11, 'ok')], [], ['a']],
  ['a note that has come in', [sent('a', 'ok', note)], [item(11, 'ok', 'note')], [], []],
  ['two that are alike, one of them there', [sent('a', 'ok'), sent('b', 'ok')], [item(11, 'ok')], [], ['b']],
  ['two that are alike, both there', [sent('a', 'ok'), sent('b', 'ok')], [item(11, 'ok'), item(12, 'ok')], [], []],
  ['the first of two that are alike was answered', [sent('b', 'ok', { state: 'waiting' })], [item(11, 'ok')], ['m11'], ['b']],
  ['what was refused stands there, whatever else does', [sent('a', 'ok', { state: 'refused' })], [item(11, 'ok')], [], ['a']],
])('%s', (_, pending, items, confirmed, want) => {
  expect(stillWaiting(pending, items, new Map(pending.map((p) => [p.key, 10])), new Set(confirmed)).map((p) => p.key)).toEqual(want);
});
