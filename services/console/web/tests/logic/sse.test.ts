import { expect, test } from 'vitest';
import { sse } from '../../src/live/sse';

test('events are put together however the text is cut', () => {
  const text = 'retry: 3000\n\nid: 3:14\nevent: message.created\ndata: {"a":\ndata: 1}\n\n: \n\nevent: typing\ndata: {}\r\n\r\n';
  for (const step of [1, 2, 7, text.length]) {
    const parse = sse();
    const got = [];
    for (let i = 0; i < text.length; i += step) got.push(...parse(text.slice(i, i + step)));
    expect(got, `in pieces of ${step}`).toEqual([
      { id: '3:14', type: 'message.created', data: '{"a":\n1}' },
      { type: 'typing', data: '{}' },
    ]);
  }
});

test('what has not ended is not an event', () => {
  expect(sse()('id: 1\nevent: x\ndata: 1\n')).toEqual([]);
});
