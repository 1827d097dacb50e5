import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Connection, pause, Stream } from '../../src/live/stream';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server whose answers a test gives one by one. */
function world() {
  const calls: string[] = [];
  const answers: ((r: Response | Error) => void)[] = [];
  const heard: string[] = [];
  const states: Connection[] = [];
  let out = 0;
  const fetching = ((url: string, init: RequestInit) => {
    calls.push(url);
    return new Promise<Response>((done, failed) => {
      answers.push((r) => (r instanceof Error ? failed(r) : done(r)));
      init.signal?.addEventListener('abort', () => failed(new Error('aborted')));
    });
  }) as typeof fetch;
  const stream = new Stream({ heard: (e) => heard.push(e.type), changed: (s) => states.push(s), signedOut: () => (out += 1) }, fetching, () => Date.now());
  const open = async () => {
    let to!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (c) => void (to = c) });
    answers.at(-1)?.(new Response(body));
    await vi.advanceTimersByTimeAsync(0);
    return {
      say: async (text: string) => {
        to.enqueue(new TextEncoder().encode(text));
        await vi.advanceTimersByTimeAsync(0);
      },
      cut: async () => {
        to.close();
        await vi.advanceTimersByTimeAsync(0);
      },
    };
  };
  return { stream, calls, answers, heard, states, open, ended: () => out };
}

test('after a cut it goes on behind the last event', async () => {
  const w = world();
  w.stream.start();
  const first = await w.open();
  await first.say('id: 0:7\nevent: ready\ndata: {}\n\n');
  expect(w.states.at(-1)).toEqual({ state: 'live' });
  await first.cut();
  expect(w.states.at(-1)).toMatchObject({ state: 'waiting', tries: 1 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(w.calls).toEqual(['/v1/events', '/v1/events?after=0%3A7']);
  const second = await w.open();
  await second.say(': \n\n');
  expect(w.states.at(-1)).toEqual({ state: 'live' });
  w.stream.stop();
});

test('a connection that says nothing any more is given up', async () => {
  const w = world();
  w.stream.start();
  const c = await w.open();
  await c.say(': \n\n');
  await vi.advanceTimersByTimeAsync(34_000);
  await c.say(': \n\n');
  await vi.advanceTimersByTimeAsync(34_000);
  expect(w.calls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(w.states.at(-1)?.state === 'waiting' || w.calls.length === 2).toBe(true);
  w.stream.stop();
});

test('a tab that wakes up connects at once, and one that is alive does not', async () => {
  const w = world();
  w.stream.start();
  const c = await w.open();
  await c.say(': \n\n');
  w.stream.wake();
  expect(w.calls).toHaveLength(1);
  vi.setSystemTime(Date.now() + 86_400_000);
  w.stream.wake();
  expect(w.calls).toHaveLength(2);
  w.stream.stop();
});

test('without a session it ends, and does not ask again', async () => {
  const w = world();
  w.stream.start();
  w.answers[0]?.(new Response('{}', { status: 401 }));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(w.ended()).toBe(1);
  expect(w.states.at(-1)).toEqual({ state: 'ended' });
  expect(w.calls).toHaveLength(1);
});

test('a server that asks for time gets it', async () => {
  const w = world();
  w.stream.start();
  w.answers[0]?.(new Response('{}', { status: 429, headers: { 'Retry-After': '20' } }));
  await vi.advanceTimersByTimeAsync(19_000);
  expect(w.calls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(w.calls).toHaveLength(2);
  w.stream.stop();
});

test('tries grow apart, up to half a minute', () => {
  expect([0, 1, 2, 10].map((n) => pause(n, undefined, 1))).toEqual([500, 1000, 2000, 30_000]);
  expect(pause(10, undefined, 0)).toBe(15_000);
  expect(pause(0, 60, 0)).toBe(60_000);
});
