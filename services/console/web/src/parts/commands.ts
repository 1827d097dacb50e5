import { useEffect, useRef } from 'react';
import type { IconName } from './Icon';

/** Command is something that can be done now, as the palette offers it. */
export interface Command {
  /** in which group it stands */
  group: string;
  icon: IconName;
  label: string;
  /** the key that does the same */
  keys?: string;
  run: () => void;
}

const sources = new Set<() => Command[]>();

/** useCommands offers what a part of the page can do, for as long as that part is there. The list is made when it is asked for. */
export function useCommands(make: () => Command[]): void {
  const now = useRef(make);
  now.current = make;
  useEffect(() => {
    const source = () => now.current();
    sources.add(source);
    return () => void sources.delete(source);
  }, []);
}

/** commands are those that are offered now. */
export const commands = (): Command[] => [...sources].flatMap((make) => make());
