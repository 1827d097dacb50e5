import { expect, test } from 'vitest';
import { oneLine, pieces } from '../../src/parts/plain';

const kinds = (text: string) => pieces(text).map((p) => (p.kind === 'link' ? `link ${p.href}` : p.kind === 'control' ? p.text : `text ${p.text}`));

test('only http and https become links, and they name their host', () => {
  expect(pieces('see https://bank.example@evil.example/x.')).toEqual([
    { kind: 'text', text: 'see ' },
    { kind: 'link', text: 'https://bank.example@evil.example/x', href: 'https://bank.example@evil.example/x', host: 'evil.example' },
    { kind: 'text', text: '.' },
  ]);
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'JaVaScRiPt:alert(1)//https', '[x](javascript:alert(1))', 'vbscript:x', 'http://', 'https://[bad']) {
    expect(pieces(bad).filter((p) => p.kind === 'link'), bad).toEqual([]);
  }
});

test('markup is text', () => {
  expect(kinds('<img src=x onerror=alert(1)>')).toEqual(['text <img src=x onerror=alert(1)>']);
});

test('signs that turn the direction of text are shown by their number', () => {
  expect(kinds('a\u202egpj.exe')).toEqual(['text a', 'U+202E', 'text gpj.exe']);
  expect(kinds('https://good.example/\u202egpj.exe')).toEqual(['link https://good.example/', 'U+202E', 'text gpj.exe']);
  expect(oneLine('a\u202e\n\u0007 b')).toBe('a b');
});

test('a long text is taken apart in no time to speak of, and nothing of it is lost', () => {
  const text = `${'(https://a.example/'.repeat(3_000)}${'x'.repeat(10_000)}`;
  expect(pieces(text).map((p) => p.text).join('')).toBe(text);
});
