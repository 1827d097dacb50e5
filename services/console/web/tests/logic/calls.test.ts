import { expect, test } from 'vitest';
import { messages } from '../../src/locales/en.po';
import { i18n } from '../../src/locales/i18n';
import { out, reason } from '../../src/screens/simulator/Calls';
import type { Account, Call, Sent } from '../../src/screens/simulator/types';

i18n.load('en', messages);
i18n.activate('en');

const account = { type: 'facebook', id: '1', api_base_url: 'https://sim.example/facebook', webhook_url: '' } as Account;
const call = { seq: 1, method: 'POST', path: '/1/comments', at: '', outcome: 'accepted', status: 200, took_ms: 1, name: 'comments', message: 'm_1' } as unknown as Call;

test('a call whose body was a file is shown, and is none to be made by hand', () => {
  const seen = out(account, call, { id: 'm_1', kind: 'comment' } as Sent);
  expect([seen.body, seen.curl]).toEqual([undefined, undefined]);
  expect(out(account, call, { id: 'm_1', kind: 'comment', body: { message: "it's" } } as unknown as Sent).curl).toContain(`--data '{"message":"it'\\''s"}'`);
});

test.each<[string, unknown, string]>([
  ['Meta', { error: { message: 'no', error_data: { details: 'why' } } }, 'why'],
  ['Telegram', { ok: false, description: 'chat not found' }, 'chat not found'],
  ['LINE', { message: 'bad request' }, 'bad request'],
  ['WeChat', { errcode: 45015, errmsg: 'response out of time limit' }, 'response out of time limit'],
  ['X', { title: 'Refused', detail: 'You cannot send messages to this user.', status: 403 }, 'You cannot send messages to this user.'],
  ['a proxy', '<html>', 'a page as a proxy gives it'],
  ['nobody', undefined, ''],
])('what %s says of a refusal is found', (_, answer, words) => {
  expect(reason(answer)).toBe(words);
});
