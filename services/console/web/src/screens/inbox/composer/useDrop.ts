import { type RefObject, useEffect, useRef, useState } from 'react';

/** useDrop takes files that are dropped anywhere on the conversation, if it takes files now, and says whether some are held over it. */
export function useDrop(inside: RefObject<HTMLElement | null>, takes: boolean, dropped: (files: FileList) => void): boolean {
  const [over, setOver] = useState(false);
  const now = useRef(dropped);
  now.current = dropped;
  useEffect(() => {
    const place = inside.current?.closest<HTMLElement>('.cv') ?? inside.current;
    if (!takes || !place) return;
    const hold = (e: DragEvent) => {
      if (!e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      e.dataTransfer.dropEffect = 'copy';
      setOver(true);
    };
    const leave = (e: DragEvent) => !place.contains(e.relatedTarget as Node | null) && setOver(false);
    const drop = (e: DragEvent) => {
      if (!e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      setOver(false);
      now.current(e.dataTransfer.files);
    };
    place.addEventListener('dragover', hold);
    place.addEventListener('dragleave', leave);
    place.addEventListener('drop', drop);
    return () => {
      place.removeEventListener('dragover', hold);
      place.removeEventListener('dragleave', leave);
      place.removeEventListener('drop', drop);
      setOver(false);
    };
  }, [inside, takes]);
  return over;
}
