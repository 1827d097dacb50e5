import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const dist = new URL('../../../dist/', import.meta.url);
const page = readFileSync(new URL('index.html', dist), 'utf8');
const packed = (name: string) => gzipSync(readFileSync(new URL(`assets/${name}`, dist)), { level: 9 }).length;

/** first are the files that a browser loads before the list of conversations is on the screen. */
function first(): string[] {
  const todo = [...page.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map((m) => m[1] ?? '');
  const inbox = readdirSync(new URL('assets/', dist)).find((f) => /^Inbox-.*\.js$/.test(f));
  if (inbox) todo.push(inbox);
  const seen = new Set<string>();
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (!name.endsWith('.js')) continue;
    for (const m of readFileSync(new URL(`assets/${name}`, dist), 'utf8').matchAll(/\bfrom\s*["'`]\.\/([\w.-]+\.js)["'`]|\bimport\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) todo.push(m[1] ?? m[2] ?? '');
  }
  return [...seen];
}

test('the first load is at most 200 KiB, compressed', () => {
  const files = first();
  expect(files.some((f) => f.startsWith('Inbox'))).toBe(true);
  const sizes = Object.fromEntries(files.map((f) => [f, packed(f)]));
  const sum = Object.values(sizes).reduce((a, b) => a + b, 0);
  expect(sum, JSON.stringify(sizes)).toBeLessThanOrEqual(200 * 1024);
});

test('the page has a place for every nonce, and nothing inline', () => {
  expect(page).not.toMatch(/<script(?![^>]*\snonce="__CSP_NONCE__")[^>]*>|<script[^>]*>[^<]|<style|\sstyle=|\son\w+=/);
});
