import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

interface Place {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

// So many pixels from the end still count as its being in sight.
const nearly = 48;

/**
 * stays says whether what is read is the end. Only who scrolls up leaves it: a picture that comes in below, or a field that gets higher,
 * moves the end away without anybody having gone anywhere.
 */
export function stays(did: boolean, top: number, now: Place): boolean {
  if (now.scrollHeight - now.scrollTop - now.clientHeight < nearly) return true;
  return did && now.scrollTop >= top - 1; // a pixel is what rounding takes
}

/**
 * useEnd keeps the end of a scroller in sight for whoever reads there, whatever gets higher in it or beside it. ready: the scroller is
 * there. away says that what is read is further up.
 */
export function useEnd(scroller: RefObject<HTMLElement | null>, ready: boolean) {
  const following = useRef(true);
  const top = useRef(0);
  const [away, setAway] = useState(false);
  const look = useCallback(() => {
    const el = scroller.current;
    if (!el) return;
    following.current = stays(following.current, top.current, el);
    top.current = el.scrollTop;
    setAway(!following.current);
  }, [scroller]);
  /** follow brings the end into sight, if that is what is read. */
  const follow = useCallback(() => {
    const el = scroller.current;
    if (!el || !following.current) return;
    el.scrollTop = el.scrollHeight;
    top.current = el.scrollTop;
  }, [scroller]);
  /** toEnd goes there. */
  const toEnd = useCallback(() => {
    following.current = true;
    setAway(false);
    follow();
  }, [follow]);
  useEffect(() => {
    const el = scroller.current;
    if (!ready || !el) return;
    const watch = new ResizeObserver(follow);
    watch.observe(el);
    for (const part of el.children) watch.observe(part);
    return () => watch.disconnect();
  }, [scroller, ready, follow]);
  return { away, look, follow, toEnd };
}
