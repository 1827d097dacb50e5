import { expect, test } from 'vitest';
import type { Said } from '../../src/screens/simulator/people';
import { latest, talk } from '../../src/screens/simulator/talk';
import type { Hook, Sent } from '../../src/screens/simulator/types';

const ana = { from: '+4915112345678', name: 'Ana' };

let n = 0;
const at = () => new Date(1_800_000_000_000 + (n += 1) * 1000).toISOString();
const said = (kind: Said['kind'], more: Partial<Said> = {}): Said => ({ key: `k${n}`, kind, text: '', at: at(), state: 'taken', ...more });
const sent = (id: string, kind: string, more: Partial<Sent> = {}): Sent => ({ seq: (n += 1), id, type: 'whatsapp', account: '1', to: '4915112345678', kind, at: at(), copies: 1, ...more });
const told = (kind: string, message: string, status = 200): Hook => ({ seq: (n += 1), type: 'whatsapp', account: '1', kind, peer: '4915112345678', message, path: '/', at: at(), took_ms: 1, status, try: 1 });

test('both sides stand in the order of time, and only what is theirs', () => {
  const rows = talk(ana, [said('text', { id: 'a', text: 'hi' })], [sent('b', 'text', { text: 'hello' }), sent('c', 'text', { to: '49999' })], []);
  expect(rows.map((r) => [r.id, r.mine, r.text])).toEqual([
    ['a', true, 'hi'],
    ['b', false, 'hello'],
  ]);
  expect(talk({ ...ana, peer: '49999' }, [], [sent('c', 'text', { to: '49999' })], [])).toHaveLength(1);
});

test('reactions, edits and deletions are shown on the message, whoever makes them', () => {
  const mine = said('text', { id: 'a', text: 'hi' });
  const theirs = sent('b', 'text', { text: 'hello', choices: [{ id: 'x', title: 'X' }] });
  const album = sent('c1', 'album', { ids: ['c1', 'c2'] });
  const rows = talk(
    ana,
    [mine, said('edit', { target: 'a', text: 'hi there' }), said('reaction', { target: 'b', text: '❤️' }), said('reaction', { target: 'c2', text: '👍' })],
    [theirs, album, sent('b:edit', 'edit', { text: 'hello you', about: ['b'] }), sent('r', 'reaction', { text: '🙏', about: ['a'] }), sent('d', 'delete', { about: ['c1', 'c2'] })],
    [],
  );
  expect(rows).toMatchObject([
    { id: 'a', text: 'hi there', edited: true, reactions: { theirs: '🙏' } },
    { id: 'b', text: 'hello you', edited: true, choices: [], reactions: { mine: '❤️' } },
    { id: 'c1', deleted: true, reactions: { mine: '👍' } },
  ]);
});

test('a reaction that is taken back is none, and the latest one counts', () => {
  const rows = (...then: Said[]) => talk(ana, then, [sent('b', 'text')].map((m) => ({ ...m, at: new Date(0).toISOString() })), []);
  const react = (text: string) => said('reaction', { target: 'b', text });
  expect(rows(react('❤️'), react('👍'))[0]?.reactions.mine).toBe('👍');
  expect(rows(react('❤️'), react(''))[0]?.reactions.mine).toBe(undefined);
});

test('what the channel did not take, or is about nothing that is known, is a row of its own', () => {
  const rows = talk(ana, [said('text', { id: 'a' }), said('delete', { target: 'a', state: 'not taken' }), said('reaction', { target: 'gone', text: '❤️' }), said('typing')], [], []);
  expect(rows.map((r) => [r.kind, r.event, r.deleted ?? false])).toEqual([
    ['text', false, false],
    ['delete', true, false],
    ['reaction', true, false],
    ['typing', true, false],
  ]);
});

test('of the receipts that the gateway took the furthest counts', () => {
  const of = (...hooks: Hook[]) => talk(ana, [], [sent('b', 'text')], hooks)[0]?.receipt;
  expect(of(told('read', 'b'), told('delivered', 'b'))).toBe('read');
  expect(of(told('delivered', 'b'), told('read', 'b', 503), told('read', 'other'))).toBe('delivered');
  expect(of()).toBe(undefined);
});

test('only what is there can be quoted, changed and reacted to', () => {
  const rows = talk(ana, [said('text', { id: 'a' }), said('text', { id: 'b' }), said('delete', { target: 'b' }), said('text')], [sent('c', 'text'), sent('r', 'reaction', { about: ['nobody'] })], []);
  expect([latest(rows).mine?.id, latest(rows).theirs?.id]).toEqual(['a', 'c']);
});
