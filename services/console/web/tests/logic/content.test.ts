import { expect, test } from 'vitest';
import type { TimelineEvent } from '../../src/api/client';
import { messages } from '../../src/locales/en.po';
import { i18n } from '../../src/locales/i18n';
import { hostOf } from '../../src/parts/plain';
import { within } from '../../src/parts/size';
import { told } from '../../src/screens/inbox/talk/events';
import { choiceDetail, choiceIcon } from '../../src/screens/inbox/choices';
import { answersOf, choiceOf, values } from '../../src/screens/inbox/talk/said';

i18n.load('en', messages);
i18n.activate('en');

test('what was picked is said in the words in which it was offered, else by what it brought', () => {
  expect([{ title: 'Yes', payload: 'p', id: '1' }, { payload: 'p', id: '1' }, { id: '1' }, {}].map(choiceOf)).toEqual(['Yes', 'p', '1', '']);
});

test.each([
  [{ title: 'Yes' }, undefined, ''],
  [{ kind: 'url', url: 'https://shop.example/x' }, 'link', 'shop.example'],
  [{ url: 'https://shop.example/x' }, 'link', 'shop.example'],
  [{ kind: 'dial', phone: '+493012345' }, 'phone', '+493012345'],
  [{ kind: 'location', location: { latitude: 1, longitude: 2 } }, 'map', '1, 2'],
  [{ kind: 'location', location: { latitude: 1, longitude: 2, name: 'Shop' } }, 'map', 'Shop'],
  [{ kind: 'location_request' }, 'pin', ''],
])('of the choice %j one sees what it does and where it leads', (choice, icon, detail) => {
  expect([choiceIcon(choice), choiceDetail(choice)]).toEqual([icon, detail]);
});

test('of a form its answers are shown, and of one that a stranger made not all', () => {
  expect(answersOf({ data: { name: 'Siti', flow_token: 'secret', when: null, note: '', age: 30, days: ['mon', 'tue'] } })).toEqual([
    ['name', 'Siti'],
    ['age', '30'],
    ['days', '["mon","tue"]'],
  ]);
  expect(answersOf({ data: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`f${n}`, 'x'])) })).toHaveLength(50);
  for (const data of [undefined, null, 'text', 7]) expect(answersOf({ data })).toEqual([]);
});

test('a template shows every value that is words, those of its cards, too', () => {
  expect(
    values({
      components: [
        { parameters: [{ text: 'Siti' }, { currency: { fallback_value: '12 €' } }, { date_time: { fallback_value: 'Monday' } }, { location: { name: 'Shop' } }, {}] },
        { parameters: null, cards: [{ components: [{ parameters: [{ payload: 'track' }, { coupon_code: 'TEN' }] }] }] },
      ],
    }),
  ).toEqual(['Siti', '12 €', 'Monday', 'Shop', 'track', 'TEN']);
  expect(values({})).toEqual([]);
});

test.each<[number | undefined, number | undefined, { width: number; height: number } | undefined]>([
  [480, 360, { width: 240, height: 180 }],
  [360, 480, { width: 180, height: 240 }],
  [100, 50, { width: 100, height: 50 }],
  [10_000, 3, { width: 240, height: 1 }],
  [undefined, 50, undefined],
  [0, 0, undefined],
])('a picture of %s by %s has its room', (width, height, want) => {
  expect(within(240, width, height)).toEqual(want);
});

test.each([
  ['https://shop.example/a', 'shop.example'],
  ['http://good.example@evil.example/', 'evil.example'],
  ['javascript:window.ran=1', undefined],
  ['data:text/html,x', undefined],
  ['/inbox', undefined],
  ['', undefined],
])('%s leads to %s', (url, host) => {
  expect(hostOf(url)).toBe(host);
});

const happened = (type: string, more: object = {}) => told({ id: 'e', type, category: '', actor: { kind: 'contact' }, data: {}, at: '', ...more } as unknown as TimelineEvent, { queue: (id) => id }).text;

test.each<[string, object, string]>([
  ['referred', { reference: { headline: 'Winter box', code: 'w1' } }, 'Came by Winter box'],
  ['referred', { reference: { code: 'w1' } }, 'Came by w1'],
  ['referred', {}, 'Came by a link'],
  ['unfollowed', {}, 'The contact no longer follows the account'],
  ['blocked', {}, 'The contact has blocked the account'],
  ['consent_changed', { data: { category: 'marketing', value: 'out' } }, 'The contact wants no marketing messages'],
  ['consent_changed', { data: { category: 'marketing', value: 'in' } }, 'The contact agrees to marketing messages'],
  ['thread_control', { data: { standby: true } }, 'Another app was given the conversation'],
  ['thread_control', { data: { standby: false } }, 'The conversation was given back by another app'],
  ['something_new', {}, 'something new by the contact'],
])('%s %j is told', (type, more, text) => {
  expect(happened(type, more)).toBe(text);
});
