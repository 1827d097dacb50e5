import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Fault, problem } from '../../src/api/fault';
import { initials } from '../../src/parts/Avatar';
import { daysAgo, span } from '../../src/parts/time';
import { worded } from '../../src/parts/words';
import { i18n } from '../../src/locales/i18n';
import { messages } from '../../src/locales/en.po';
import { inside } from '../../src/shell/places';

i18n.load('en', messages);
i18n.activate('en');

test('every code of the API that an agent can meet has words, and none is empty', () => {
  const catalogue = readFileSync(new URL('../../../../../docs/reference/errors.md', import.meta.url), 'utf8');
  const rows = [...catalogue.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)];
  expect(rows.length).toBeGreaterThan(50);
  for (const [, code = '', status, title = ''] of rows) {
    const words = worded(new Fault({ type: '', title, status: Number(status) || 500, code, retryable: false }));
    expect(words, code).toMatch(/^[A-Z“].*[.!?…]$/u);
    expect(words, code).not.toMatch(/\{\w+\}|undefined/);
  }
});

test('what is no problem of ours is described by its status', async () => {
  const page = await problem(new Response('<html>', { status: 502, headers: { 'Retry-After': '7' } }));
  expect([page.status, page.after, page.passing]).toEqual([503, 7, true]);
  const cut = await problem(new Response('{"sta', { status: 409, headers: { 'Content-Type': 'application/problem+json' } }));
  expect([cut.status, cut.passing]).toEqual([409, false]);
});

test('a sign-in leads back to this site alone', () => {
  for (const good of ['/inbox', '/inbox/cnv_1?view=mine']) expect(inside(good)).toBe(true);
  for (const bad of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)', '/signin?to=/signin', '']) expect(inside(bad), bad).toBe(false);
});

test('initials are of any script', () => {
  expect(['Siti Rahmawati', 'عبد الرحمن الزهراني', '陈雨桐', '+1 555 014 2277', 'Cher', '', '<b>x</b>', '👩‍👩‍👧 Fam'].map(initials)).toEqual(['SR', 'ع', '陈', '+1', 'C', '?', 'B', '👩‍👩‍👧']);
});

test('days are counted by midnights, spans in the units that matter', () => {
  expect(daysAgo(new Date(2026, 10, 29, 23, 59).toISOString(), new Date(2026, 10, 30, 0, 1))).toBe(1);
  expect([40_000, 38 * 60_000, 23.99 * 3_600_000, 5 * 86_400_000].map(span)).toEqual(['40 s', '38 min', '23 h 59 min', '5 days']);
});
