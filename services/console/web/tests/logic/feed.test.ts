import { expect, test } from 'vitest';
import { tail } from '../../src/screens/simulator/feed';

interface Entry {
  seq: number;
}

const entries = (from: number, to: number): Entry[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => ({ seq: from + n }));

/** A list of the simulator, which answers as it does, and remembers what it was asked. */
function list(first: number, last: number) {
  const asked: object[] = [];
  const of = { first, last };
  const read = async (query: { after?: number; newest?: true; limit: number }) => {
    asked.push(query);
    const all = entries(of.first, of.last).filter((e) => e.seq > (query.after ?? 0));
    const data = query.newest ? all.slice(-query.limit) : all.slice(0, query.limit);
    return { data, last: of.last, has_more: data.length === query.limit };
  };
  return { of, asked, read };
}

const seqs = (of: Entry[]) => [of[0]?.seq, of.at(-1)?.seq, of.length];

test('the newest come first, then what is behind the last one, and nothing is asked for twice', async () => {
  const l = list(1, 1000);
  const next = tail(l.read);
  expect(seqs(await next())).toEqual([801, 1000, 200]);
  const same = await next();
  expect(await next()).toBe(same); // the same list, so that nothing is drawn anew
  l.of.last = 1003;
  expect(seqs(await next())).toEqual([801, 1003, 203]);
  expect(l.asked).toEqual([{ newest: true, limit: 200 }, { after: 1000, limit: 500 }, { after: 1000, limit: 500 }, { after: 1000, limit: 500 }]);
});

test('more than one answer holds is read in several, without a hole; only the latest are kept', async () => {
  const l = list(1, 10);
  const next = tail(l.read);
  await next();
  l.of.last = 1210;
  expect(seqs(await next())).toEqual([11, 510, 500]);
  expect(seqs(await next())).toEqual([511, 1010, 500]);
  expect(seqs(await next())).toEqual([711, 1210, 500]);
  expect(l.asked.slice(1)).toEqual([{ after: 10, limit: 500 }, { after: 510, limit: 500 }, { after: 1010, limit: 500 }]);
});

test('a smaller last number says that the simulator began anew: what was before is forgotten', async () => {
  const l = list(1, 1000);
  const next = tail(l.read);
  await next();
  l.of.last = 2;
  expect(await next()).toEqual([{ seq: 1 }, { seq: 2 }]);
});

test('an empty list stays one', async () => {
  const l = list(1, 0);
  const next = tail(l.read);
  expect(await next()).toEqual([]);
  l.of.last = 1;
  expect(await next()).toEqual([{ seq: 1 }]);
});

test('what fails is asked for again from where it was', async () => {
  const l = list(1, 3);
  let fails = false;
  const next = tail(async (q) => {
    if (fails) throw new Error('away');
    return l.read(q);
  });
  await next();
  l.of.last = 4;
  fails = true;
  await expect(next()).rejects.toThrow('away');
  fails = false;
  expect(seqs(await next())).toEqual([1, 4, 4]);
});
