import { useQuery } from '@tanstack/react-query';
import { Popover } from 'radix-ui';
import { channels, type Listing, queues } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';

/** FilterForm is what opens at the filter's button. */
export default function FilterForm({ of, go, setOpen }: { of: Listing; go: (change: Partial<Listing>) => void; setOpen: (open: boolean) => void }) {
  const { data: connected } = useQuery(channels);
  const { data: waiting } = useQuery(queues);
  return (
    <Popover.Root open onOpenChange={setOpen}>
      <Popover.Anchor className="fanchor" />
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
