import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import type { TimelineItem } from '../../../api/client';
import type { Stretch } from '../../../live/timeline';

/** Run is a part of a timeline that is drawn, or left out, as one. */
export interface Run {
  key: string;
  items: TimelineItem[];
  /** the item above its first one */
  before: TimelineItem | undefined;
}

// Positions are numbers: what comes in above or below changes no run that is full.
const perRun = 40;

/** runs cuts a timeline into parts whose borders stay where they are. */
export function runs(stretches: Stretch[]): Run[] {
  const out: Run[] = [];
  let before: TimelineItem | undefined;
  for (const s of stretches) {
    for (const item of s.items) {
      const key = `${s.conversation}:${Math.floor(Number(item.position) / perRun)}`;
      const last = out.at(-1);
      if (last?.key === key) last.items.push(item);
      else out.push({ key, items: [item], before });
      before = item;
    }
  }
  return out;
}

// Within so much of the height of what is in sight, everything is drawn before it comes into sight.
const margin = '150% 0px';

/**
 * Chunk draws what is near the part in sight; of what is far from it there is only the height, as it was drawn. So a history of any length
 * costs what one or two screens cost. pinned: it is drawn wherever it is.
 */
export function Chunk({ root, pinned, children }: { root: RefObject<HTMLElement | null>; pinned: boolean; children: () => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState<number>();
  if (pinned && height !== undefined) setHeight(undefined);
  useEffect(() => {
    const el = box.current;
    if (pinned || !el) return;
    const watch = new IntersectionObserver(
      (seen) => {
        const now = seen.at(-1);
        if (!now) return;
        if (now.isIntersecting) setHeight(undefined);
        else if (now.boundingClientRect.height > 0 && !el.contains(document.activeElement)) setHeight(now.boundingClientRect.height);
      },
      { root: root.current, rootMargin: margin },
    );
    watch.observe(el);
    return () => watch.disconnect();
  }, [root, pinned]);
  return (
    <div className="chunk" ref={box} style={height === undefined ? undefined : { height }}>
      {height === undefined && children()}
    </div>
  );
}
