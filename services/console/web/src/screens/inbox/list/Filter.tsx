import { lazy, Suspense, useRef, useState } from 'react';
import type { Listing } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';

const FilterForm = lazy(() => import('./FilterForm'));

export function isFiltered(of: Listing): boolean {
  return !!(of.unread || of.channel_id || of.queue_id || of.tag);
}

/** Filter narrows a view. It is a part of the address, so that it can be kept and passed on. */
export function Filter({ of, go }: { of: Listing; go: (change: Partial<Listing>) => void }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (now: boolean) => {
    setOpen(now);
    if (!now) button.current?.focus();
  };
  return (
    <span className="relative">
      <button ref={button} type="button" className="ib" aria-label={i18n._('Filter')} title={i18n._('Filter')} aria-haspopup="dialog" aria-expanded={open} aria-pressed={isFiltered(of)} onClick={() => setOpen(!open)}>
        <Icon name="filter" />
      </button>
      <Suspense>{open && <FilterForm of={of} go={go} setOpen={close} />}</Suspense>
    </span>
  );
}
