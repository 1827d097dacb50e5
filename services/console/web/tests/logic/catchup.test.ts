import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gatherer, type Told } from '../../src/live/catchup';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A gatherer whose rounds take so many milliseconds, and what it had read, each time with the time at which it began. */
function world(takes: number, rest: (took: number) => number) {
  const rounds: [number, Record<string, [number[], string[]]>][] = [];
  const began = Date.now();
  const g = new Gatherer(async (told: Map<string, Told>) => {
    rounds.push([Date.now() - began, Object.fromEntries([...told].map(([id, t]) => [id, [[...t.added], [...t.changed]]]))]);
    await new Promise((done) => setTimeout(done, takes));
  }, rest);
  return { g, rounds, later: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test('the first is read at once, and what comes up meanwhile in one round behind it, each thing once', async () => {
  const { g, rounds, later } = world(30, (took) => took);
  g.added('a', 7);
  await later(10);
  for (const n of [8, 9, 9]) g.added('a', n);
  g.changed('a', 'm');
  g.added('b', undefined);
  await later(1_000);
  expect(rounds).toEqual([
    [0, { a: [[7], []] }],
    [60, { a: [[8, 9], ['m']], b: [[], []] }],
  ]);
});

test('who is told after a rest does not wait', async () => {
  const { g, rounds, later } = world(30, (took) => took);
  g.added('a', 1);
  await later(60);
  g.added('a', 2);
  await later(100);
  expect(rounds.map(([at]) => at)).toEqual([0, 60]);
});

test('a flood is read for at most as much of the time as it rests', async () => {
  const { g, rounds, later } = world(40, (took) => Math.min(took, 120));
  for (let n = 1; n <= 1_000; n += 1) {
    g.added('a', n);
    await later(1);
  }
  await later(200);
  expect(rounds.length).toBeLessThanOrEqual(14);
  expect(rounds.flatMap(([, told]) => told['a']?.[0] ?? [])).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
});

test('a round that fails is followed by others, and one may be asked for without anything told', async () => {
  let calls = 0;
  const g = new Gatherer(() => Promise.reject(new Error(String((calls += 1)))), () => 10);
  g.wake();
  await vi.advanceTimersByTimeAsync(50);
  g.wake();
  await vi.advanceTimersByTimeAsync(50);
  expect(calls).toBe(2);
});
