import { useRef } from 'react';
import type { TimelineItem } from '../../../api/client';
import { outbox, type Pending } from '../../../live/outbox';

// What has just come in is among so many items.
const newest = 50;

/**
 * stillWaiting are the messages on their way of which nothing is in the timeline yet: they may come in there before the answer to their
 * call. since says behind which place each can only be; confirmed are the ids of those that were answered. Two that are alike are two.
 */
export function stillWaiting(pending: Pending[], items: TimelineItem[], since: ReadonlyMap<string, number>, confirmed: ReadonlySet<string>): Pending[] {
  const taken = new Set<TimelineItem>();
  return pending.filter((p) => {
    if (p.state === 'refused') return true;
    const from = since.get(p.key) ?? Infinity;
    const item = items.slice(-newest).find((i) => Number(i.position) > from && !taken.has(i) && !confirmed.has(i.message?.id ?? '') && echoes(i, p));
    if (item) taken.add(item);
    return !item;
  });
}

/** echoes says whether an item may be what a message on its way has become. */
function echoes({ message: m }: TimelineItem, p: Pending): boolean {
  return !!m && (p.input.direction === 'note' ? m.direction === 'note' : m.direction === 'outbound') && (m.text ?? '') === (p.input.text ?? '');
}

/** useWaiting remembers what the timeline ended with when each message was written; items: what is in it, once it is there. */
export function useWaiting(pending: Pending[], items: TimelineItem[] | undefined): Pending[] {
  const since = useRef(new Map<string, number>());
  if (!items) return pending;
  for (const p of pending) if (!since.current.has(p.key)) since.current.set(p.key, Number(items.at(-1)?.position ?? 0));
  for (const key of since.current.keys()) if (!pending.some((p) => p.key === key)) since.current.delete(key);
  return stillWaiting(pending, items, since.current, outbox.confirmed);
}
