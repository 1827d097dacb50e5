import { expect, test } from 'vitest';
import { Fault } from '../../src/api/fault';
import { messages } from '../../src/locales/en.po';
import { i18n } from '../../src/locales/i18n';
import { applies, changed, type Field, input, mended, missing, name, pointed, shown, wrong } from '../../src/screens/channels/form';

i18n.load('en', messages);
i18n.activate('en');

const field = (key: string, more: Partial<Field> = {}): Field => ({ key, label: key, ...more });

const fields: Field[] = [
  field('server', { one_of: ['cloud', 'local'], default: 'cloud' }),
  field('number', { pattern: '^[0-9]+$' }),
  field('base', { optional: true, when: { server: 'cloud' } }),
  field('base', { when: { server: 'local' } }),
  field('rate', { kind: 'number', pattern: '^[1-9][0-9]{0,3}$', optional: true }),
  field('origins', { kind: 'list', pattern: '^https://', optional: true }),
  field('theme', { kind: 'object', optional: true }),
  field('loud', { kind: 'bool', optional: true }),
  field('imap.host', { optional: true }),
  field('token', { secret: true }),
  field('charm', { secret: true, min_length: 4, optional: true }),
];
const at = (key: string) => fields.find((f) => f.key === key) as Field;

test('a field applies by the values of others, and by their defaults', () => {
  const on = (values: Record<string, string>) => fields.filter((f) => applies(f, fields, values) && f.key === 'base').map((f) => f.optional ?? false);
  expect([on({}), on({ server: 'cloud' }), on({ server: 'local' }), on({ server: 'other' })]).toEqual([[true], [true], [false], []]);
});

test.each([
  ['number', '123', undefined],
  ['number', '12 3', 'pattern'],
  ['number', '', undefined],
  ['rate', '80', undefined],
  ['rate', '0', 'pattern'],
  ['rate', 'many', 'number'],
  ['origins', 'https://a.example\n\n https://b.example ', undefined],
  ['origins', 'https://a.example\nhttp://b.example', 'pattern'],
  ['theme', '{"a": 1}', undefined],
  ['theme', '{"a": ', 'json'],
  ['theme', '[]', 'json'],
  ['theme', 'null', 'json'],
  ['charm', '🌊🌊🌊', 'short'],
  ['charm', '🌊🌊🌊🌊', undefined],
])('%s is looked at before anybody is asked: %j', (key, text, want) => {
  expect(wrong(at(key), text)).toBe(want);
});

test('a pattern that only Go knows is left to the API', () => {
  expect(wrong(field('x', { pattern: '(?i)^a\\z' }), 'b')).toBe(undefined);
});

test('what people copy along is taken out where that mends it', () => {
  expect(mended(at('number'), ' 104 882-550 (117) ')).toBe('104882550117');
  expect(mended(at('number'), ' 104 ')).toBe('104');
  expect(mended(at('number'), 'abc')).toBe(undefined);
  expect(mended(at('theme'), ' {')).toBe(undefined);
});

test('what is shown is what the API is told again, byte for byte', () => {
  const settings = { server: 'local', number: '1', rate: 80, origins: ['https://a', 'https://b'], theme: { a: { b: 1 } }, loud: false, imap: { host: 'mail.example' }, unknown: 'x' };
  const texts = shown(fields, settings);
  expect(texts).toEqual({ server: 'local', number: '1', rate: '80', origins: 'https://a\nhttps://b', theme: '{\n  "a": {\n    "b": 1\n  }\n}', loud: 'false', base: undefined, 'imap.host': 'mail.example' });
  const { unknown: _, ...known } = settings;
  expect(input(fields, texts, true)).toEqual({ settings: known, secrets: { token: '', charm: '' } });
});

test('only what changed is told: null takes a setting away, an empty secret stays', () => {
  const before = { number: '1', rate: '80', 'imap.host': 'a', origins: 'https://a' };
  const now = { ...before, number: '2', rate: '', 'imap.host': '', token: '', charm: 'abcd' };
  const which = changed(fields, before, now);
  expect(which.map((f) => f.key)).toEqual(['number', 'rate', 'imap.host', 'charm']);
  expect(input(which, now, false)).toEqual({ settings: { number: '2', rate: null, imap: { host: null } }, secrets: { charm: 'abcd' } });
  expect(input(which, now, true)).toEqual({ settings: { number: '2' }, secrets: { charm: 'abcd' } });
});

test('what a channel cannot do without is known: of those that apply, without a value, a default or a secret that is set', () => {
  const keys = (values: Record<string, string>, set: Record<string, string> = {}) => missing(fields, values, set).map((f) => f.key);
  expect(keys({})).toEqual(['number', 'token']);
  expect(keys({ number: ' ' })).toEqual(['number', 'token']);
  expect(keys({ number: '1', server: 'local' }, { token: 'set' })).toEqual(['base']);
  expect(keys({ number: '1', base: 'b', server: 'local', token: 't' })).toEqual([]);
});

const fault = (status: number, code: string, ...errors: [string, string][]) =>
  new Fault({ type: '', title: 'Title', detail: 'another channel has the number 1', status, code, retryable: false, errors: errors.map(([pointer, detail]) => ({ pointer, code: 'bad', detail })) });

test('a refusal stands at the field that it points to', () => {
  const type = { settings: fields, account: ['number'] };
  expect(
    pointed(fault(422, 'invalid', ['/settings/number', 'digits'], ['/settings/number', 'only'], ['/secrets/token', 'set it'], ['/name', 'too long'], ['/settings/origins/1', 'no origin'], ['/settings/imap.host', 'a'], ['/settings/imap/host', 'b'], ['/settings/token', 'no such'], ['/queue_id', 'gone']), type),
  ).toEqual({ number: 'digits; only', token: 'set it', [name]: 'too long', origins: 'Line 2: no origin', 'imap.host': 'a; b', '': 'no such; gone' });
  expect(pointed(fault(409, 'account_claimed'), type)).toEqual({ number: 'another channel has the number 1' });
  expect(pointed(fault(409, 'conflict'), type)).toEqual({});
});
