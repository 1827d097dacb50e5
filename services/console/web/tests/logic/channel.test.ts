import { expect, test } from 'vitest';
import { messages } from '../../src/locales/en.po';
import { i18n } from '../../src/locales/i18n';
import { milliseconds } from '../../src/parts/time';
import { rows } from '../../src/screens/channels/limits';
import { call } from '../../src/screens/channels/recorded';

i18n.load('en', messages);
i18n.activate('en');

const recorded = { method: 'POST', path: '', query: '', header: '', text: '{"a":  1}' };

test('a recorded call goes as it was written down: a text byte for byte, what is none as base64', () => {
  expect(call(recorded)).toEqual({ method: 'POST', body: '{"a":  1}' });
  expect(call({ ...recorded, path: ' /more ', query: '?a=1&a=2&b=%20', header: 'Content-Type: text/plain\n\nX-A: b: c\nno header\nx-a:d' })).toEqual({
    method: 'POST',
    path: '/more',
    query: { a: ['1', '2'], b: [' '] },
    header: { 'Content-Type': ['text/plain'], 'X-A': ['b: c'], 'x-a': ['d'] },
    body: '{"a":  1}',
  });
  expect(call({ ...recorded, text: '', file: { name: 'f', bytes: new Uint8Array([0xff, 0x00, 0x80]) } })).toEqual({ method: 'POST', body: '/wCA', encoding: 'base64' });
});

test('durations of the API are read', () => {
  expect(['24h0m0s', '1m30s', '1.5s', '500ms', '0s', '1.5h', ''].map(milliseconds)).toEqual([86_400_000, 90_000, 1_500, 500, 0, 5_400_000, 0]);
});

test('the rules of a channel are worded, and what it cannot do is said', () => {
  const size = (n: number) => `${n} B`;
  const none = Object.fromEntries(rows({ send: {}, window: { kind: 'none' }, starts: {} }, size));
  expect(none).toMatchObject({ Window: 'always open', 'May write first': 'no', Text: 'no', 'Buttons and lists': 'no', Receipts: 'no', Rates: 'no' });
  expect(none).not.toHaveProperty('Comments below posts');
  const below = Object.fromEntries(rows({ send: {}, comments: { types: ['text', 'image'], actions: { hide: {}, private_reply: { for: '168h0m0s' } } }, window: {}, starts: {} }, size));
  expect(below['Comments below posts']).toBe('text, image, hide, private reply (168 h)');
  const full = Object.fromEntries(
    rows(
      {
        send: {
          types: ['text', 'image'],
          text: { max: 4096, unit: 'runes' },
          media: { image: { max_bytes: 5 } },
          interactive: { buttons: { max_items: 3 }, reply_keyboard: {} },
          actions: { edit: { for: '48h0m0s' }, delete: {} },
          signals: ['typing_on', 'ack'],
          rates: [{ per: 'peer', n: 1, every: '6s' }],
        },
        window: { kind: 'inbound', for: '24h0m0s' },
        statuses: ['delivered', 'read'],
        starts: { may: true, with: 'template' },
        max_media: 7,
      },
      size,
    ),
  );
  expect(full).toMatchObject({
    Window: '24 h after the customer’s last message',
    'May write first': 'with a template',
    Text: '4,096 characters',
    'Files that are sent': 'image 5 B',
    'Files that come in': 'up to 7 B',
    'Buttons and lists': 'buttons (3), reply keyboard',
    'Changes to what was sent': 'edit (48 h), delete',
    Receipts: 'delivered, read',
    'Typing and read marks': 'typing on',
    Rates: '1 in 6 s for each person',
  });
});
