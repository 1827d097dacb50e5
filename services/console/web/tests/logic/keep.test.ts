import { beforeEach, expect, test, vi } from 'vitest';
import { changeDraft, draftOf } from '../../src/live/drafts';
import { keepFor } from '../../src/live/keep';
import { outbox } from '../../src/live/outbox';

const memory = new Map<string, string>();
beforeEach(() => {
  memory.clear();
  vi.stubGlobal('sessionStorage', {
    getItem: (k: string) => memory.get(k) ?? null,
    setItem: (k: string, v: string) => memory.set(k, v),
    removeItem: (k: string) => memory.delete(k),
    clear: () => memory.clear(),
  });
});

test('what somebody typed is kept for them, and for nobody else', () => {
  keepFor('usr_ana');
  changeDraft('cnv_1', { reply: 'Dear Siti' });
  outbox.add({ conversation: 'cnv_1', input: { text: 'not sent yet' }, files: [] });

  keepFor('usr_ana'); // signed in again
  expect(draftOf('cnv_1').reply).toBe('Dear Siti');
  expect(outbox.of('cnv_1')).toHaveLength(1);

  keepFor('usr_ben');
  expect(draftOf('cnv_1').reply).toBe('');
  expect(outbox.of('cnv_1')).toEqual([]);
  const send = vi.fn();
  outbox.run(send, () => undefined);
  expect(send).not.toHaveBeenCalled();
  expect([...memory.keys()]).toEqual(['owner']);
});
