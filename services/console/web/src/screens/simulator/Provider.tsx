import { useMutation } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import { useState } from 'react';
import { api, data } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { Empty } from '../../parts/Empty';
import { Icon } from '../../parts/Icon';
import { Note } from '../../parts/Note';
import { toast } from '../../parts/toast';
import { worded } from '../../parts/words';
import { Calls } from './Calls';
import type { Feed } from './feed';
import { Misbehave } from './Misbehave';
import type { Person } from './people';
import { nameOf } from './providers';
import type { Account } from './types';

/** Provider is the other side of the channel: what it was asked, what it told, and how it behaves. */
export function Provider({ account, feed, person, onClear }: { account: Account; feed: Feed; person: Person; onClear: () => void }) {
  const base = account.api_base_url.split('/').at(-1) ?? '';
  const [tab, setTab] = useState('calls');
  const n = feed.calls.length + feed.hooks.length;
  const clear = useMutation({
    mutationFn: () => data(api.DELETE('/simulator/messages', { params: { query: { type: account.type, account: account.id } } })),
    onSuccess: onClear,
    onError: (error) => toast('alert', worded(error)),
  });
  return (
    <Tabs.Root asChild value={tab} onValueChange={setTab}>
      <section className="prov" aria-label={i18n._('What the provider saw')}>
        <header className="row">
          <div className="sp">
            <h2>{i18n._('What the provider saw')}</h2>
            <p className="t2 dim">{i18n._('{api}, played by the simulator', { api: nameOf(base) })}</p>
          </div>
          <button type="button" className="ib" aria-label={i18n._('Forget calls and messages')} title={i18n._('Forget calls and messages')} onClick={() => clear.mutate()}>
            <Icon name="trash" />
          </button>
          <Tabs.List className="seg" aria-label={i18n._('What the provider saw')}>
            <Tabs.Trigger value="calls">{n > 0 ? i18n._('Calls {n}', { n }) : i18n._('Calls')}</Tabs.Trigger>
            <Tabs.Trigger value="script">{i18n._('Misbehave')}</Tabs.Trigger>
          </Tabs.List>
        </header>
        {feed.error !== undefined && (
          <Note tone="warn" icon="alert" role="status" className="m-3">
            {worded(feed.error)}
          </Note>
        )}
        <Tabs.Content value="calls" className="calls">
          {n > 0 ? (
            <Calls account={account} feed={feed} />
          ) : (
            feed.read && (
              <Empty icon="swap" title={i18n._('Nothing yet')}>
                <p>{i18n._('Write as the customer: the webhook and the answers of the gateway stand here.')}</p>
              </Empty>
            )
          )}
        </Tabs.Content>
        {/* It stays there, so that what is set and not played yet is not lost. */}
        <Tabs.Content value="script" className="calls" forceMount hidden={tab !== 'script'}>
          <Misbehave account={account} person={person} messages={feed.messages} />
        </Tabs.Content>
      </section>
    </Tabs.Root>
  );
}
