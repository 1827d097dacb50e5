import { useQuery } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { channels, type Listing, queues } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';

export function isFiltered(of: Listing): boolean {
  return !!(of.unread || of.channel_id || of.queue_id || of.tag);
}

/** Filter narrows a view. It is a part of the address, so that it can be kept and passed on. */
export function Filter({ of, go }: { of: Listing; go: (change: Partial<Listing>) => void }) {
  const [open, setOpen] = useState(false);
  const { data: connected } = useQuery({ ...channels, enabled: open });
  const { data: waiting } = useQuery({ ...queues, enabled: open });
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="ib" aria-label={i18n._('Filter')} title={i18n._('Filter')} aria-pressed={isFiltered(of)}>
        <Icon name="filter" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop filter" align="end" sideOffset={4} collisionPadding={8} aria-label={i18n._('Filter')}>
          <form
            className="stack"
            onSubmit={(e) => {
              e.preventDefault();
              const f = new FormData(e.currentTarget);
              const text = (name: string) => String(f.get(name) ?? '').trim() || undefined;
              go({ channel_id: text('channel'), queue_id: text('queue'), tag: text('tag'), unread: f.get('unread') ? true : undefined });
              setOpen(false);
            }}
          >
            <label className="field">
              <span className="lb">{i18n._('Channel')}</span>
              <select className="in" name="channel" defaultValue={of.channel_id ?? ''} key={connected?.length}>
                <option value="">{i18n._('All channels')}</option>
                {connected?.map((c) => (
                  <option key={c.id} value={c.id}>
                    {c.name}
                  </option>
                ))}
              </select>
            </label>
            <label className="field">
              <span className="lb">{i18n._('Queue')}</span>
              <select className="in" name="queue" defaultValue={of.queue_id ?? ''} key={waiting?.length}>
                <option value="">{i18n._('Any')}</option>
                {waiting?.map((q) => (
                  <option key={q.id} value={q.id}>
                    {q.name}
                  </option>
                ))}
              </select>
            </label>
            <label className="field">
              <span className="lb">{i18n._('Tag')}</span>
              <input className="in" name="tag" defaultValue={of.tag ?? ''} maxLength={255} />
            </label>
            <label className="row">
              <input className="cb" type="checkbox" name="unread" defaultChecked={of.unread ?? false} />
              {i18n._('Only unread')}
            </label>
            <div className="row">
              <button
                type="button"
                className="btn ghost"
                onClick={() => {
                  go({ channel_id: undefined, queue_id: undefined, tag: undefined, unread: undefined });
                  setOpen(false);
                }}
              >
                {i18n._('Reset')}
              </button>
              <button type="submit" className="btn pri end">
                {i18n._('Show')}
              </button>
            </div>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
