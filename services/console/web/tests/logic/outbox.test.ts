import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Message } from '../../src/api/client';
import { Fault } from '../../src/api/fault';
import { Outbox, type Pending } from '../../src/live/outbox';

const memory = new Map<string, string>();
beforeEach(() => {
  vi.useFakeTimers();
  memory.clear();
  vi.stubGlobal('sessionStorage', { getItem: (k: string) => memory.get(k) ?? null, setItem: (k: string, v: string) => memory.set(k, v), removeItem: (k: string) => memory.delete(k) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fault = (status: number, code: string, after?: number) => new Fault({ type: '', title: code, status, code, retryable: false }, after);
const say = (conversation: string, text: string) => ({ conversation, input: { text }, files: [] });

/** A server that does with each send what a test says. */
function server(...outcomes: (Fault | 'ok')[]) {
  const sends: Pending[] = [];
  const sent: string[] = [];
  const send = async (p: Pending) => {
    sends.push(p);
    const o = outcomes.shift() ?? 'ok';
    if (o !== 'ok') throw o;
    return { id: p.key } as Message;
  };
  return { sends, sent, send, arrived: (m: Message) => void sent.push(m.id) };
}

test('what gets no answer is sent again under the same key, and what follows waits for it', async () => {
  const box = new Outbox();
  const s = server(fault(0, 'offline'), fault(503, 'unavailable'));
  box.run(s.send, s.arrived);
  box.add(say('a', '1'));
  box.add(say('a', '2'));
  box.add(say('b', '3'));
  await vi.advanceTimersByTimeAsync(0);
  expect(box.of('a').map((p) => p.state)).toEqual(['waiting', 'sending']);
  await vi.advanceTimersByTimeAsync(60_000);
  const texts = s.sends.map((p) => p.input.text);
  expect(texts.indexOf('2')).toBeGreaterThan(texts.lastIndexOf('1'));
  expect(new Set(s.sends.filter((p) => p.input.text === '1').map((p) => p.key)).size).toBe(1);
  expect(box.of('a')).toEqual([]);
  expect(s.sent).toHaveLength(3);
});

test('what is refused stays with its reason, and does not hold up what follows', async () => {
  const box = new Outbox();
  const s = server(fault(409, 'conversation_closed'));
  box.run(s.send, s.arrived);
  box.add(say('a', '1'));
  box.add(say('a', '2'));
  await vi.advanceTimersByTimeAsync(0);
  expect(box.of('a')).toMatchObject([{ input: { text: '1' }, state: 'refused', problem: { code: 'conversation_closed' } }]);
  const key = box.of('a')[0]?.key ?? '';
  box.retry(key, { conversation: 'b' });
  await vi.advanceTimersByTimeAsync(0);
  expect(s.sends.at(-1)).toMatchObject({ conversation: 'b' });
  expect(s.sends.at(-1)?.key).not.toBe(key);
});

test('without a session it waits for one, and a reload loses nothing', async () => {
  const box = new Outbox();
  const s = server(fault(401, 'unauthenticated'));
  const stop = box.run(s.send, s.arrived);
  box.add(say('a', '1'));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(s.sends).toHaveLength(1);
  stop();
  const reloaded = new Outbox();
  expect(reloaded.of('a')).toMatchObject([{ input: { text: '1' }, state: 'waiting' }]);
  reloaded.run(s.send, s.arrived);
  await vi.advanceTimersByTimeAsync(0);
  expect(s.sent).toEqual([s.sends[0]?.key]);
  expect(memory.size).toBe(0);
});

test('a server that asks for time gets it', async () => {
  const box = new Outbox();
  const s = server(fault(429, 'rate_limited', 30));
  box.run(s.send, s.arrived);
  box.add(say('a', '1'));
  await vi.advanceTimersByTimeAsync(29_000);
  expect(s.sends).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.sent).toHaveLength(1);
});
