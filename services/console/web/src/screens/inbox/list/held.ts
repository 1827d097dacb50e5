import type { Conversation } from '../../../api/client';

/**
 * held returns rows in the order in which they were shown, each as it is now; new ones at the bottom of the list come behind. moved
 * counts those that stand further up by now, or are new there.
 */
export function held(order: string[], fresh: Conversation[]): { rows: Conversation[]; moved: number } {
  const now = new Map(fresh.map((c, i) => [c.id, i]));
  const rows = order.flatMap((id) => fresh[now.get(id) ?? -1] ?? []);
  const known = new Set(order);
  const lastKnown = fresh.findLastIndex((c) => known.has(c.id));
  let moved = 0;
  fresh.forEach((c, i) => {
    if (!known.has(c.id)) {
      if (i > lastKnown) rows.push(c);
      else moved += 1;
    }
  });
  const before = order.filter((id) => now.has(id));
  const after = fresh.filter((c) => known.has(c.id)).map((c) => c.id);
  const place = new Map(after.map((id, i) => [id, i]));
  let highest = -1;
  for (const id of before) {
    const p = place.get(id) ?? 0;
    if (p < highest) moved += 1;
    highest = Math.max(highest, p);
  }
  return { rows, moved };
}
