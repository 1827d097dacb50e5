import { useEffect, useRef } from 'react';

/** useKeys runs functions for single keys. They rest while a field, a menu or a dialog has the focus. */
export function useKeys(keys: Record<string, () => void>): void {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
      if ((e.target as Element).closest('input, textarea, select, [contenteditable], [role=menu], [role=dialog]')) return;
      const run = now.current[e.key.toLowerCase()];
      if (!run) return;
      e.preventDefault();
      run();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
