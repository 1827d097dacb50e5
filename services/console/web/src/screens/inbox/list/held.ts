import type { Conversation } from '../../../api/client';

/**
 * held returns rows in the order in which they were shown, each as it is now; new ones at the bottom of the list come behind. moved
 * counts those that stand further up by now, or are new there.
 */
export function held(shown: Conversation[], fresh: Conversation[]): { rows: Conversation[]; moved: number } {
  // Mostly another page has come behind the last one: of 100,000 rows that is all there is to find out.
  if (shown.length <= fresh.length && shown.every((c, i) => c.id === fresh[i]?.id)) return { rows: fresh, moved: 0 };
  const now = new Map(fresh.map((c, i) => [c.id, i]));
  const rows = shown.flatMap((c) => fresh[now.get(c.id) ?? -1] ?? []);
  const known = new Set(shown.map((c) => c.id));
  const lastKnown = fresh.findLastIndex((c) => known.has(c.id));
  let moved = 0;
  fresh.forEach((c, i) => {
    if (!known.has(c.id)) {
      if (i > lastKnown) rows.push(c);
      else moved += 1;
    }
  });
  const before = shown.filter((c) => now.has(c.id));
  const place = new Map(fresh.filter((c) => known.has(c.id)).map((c, i) => [c.id, i]));
  let highest = -1;
  for (const { id } of before) {
    const p = place.get(id) ?? 0;
    if (p < highest) moved += 1;
    highest = Math.max(highest, p);
  }
  return { rows, moved };
}
