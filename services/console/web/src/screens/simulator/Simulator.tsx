import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { faultOf } from '../../api/fault';
import { channels, me, simulated } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { Empty } from '../../parts/Empty';
import { Trouble } from '../../parts/Note';
import { Accounts } from './Accounts';
import { useFeed } from './feed';
import { usePeople } from './people';
import { Phone } from './Phone';
import { Provider } from './Provider';
import { type Account, idOf } from './types';

/** Simulator lets somebody be the customer, and shows what the provider of the channel sees of it. */
export function Simulator() {
  const { data: caller } = useQuery(me);
  const allowed = caller?.permissions.includes('channels.write') ?? false;
  const accounts = useQuery({ ...simulated, enabled: allowed });
  const list = useQuery(channels);
  const { account } = useSearch({ from: '/shell/simulator' });
  const navigate = useNavigate();
  if (!caller) return null;
  if (!allowed) {
    return (
      <Empty icon="lock" title={i18n._('You may not see this')}>
        <p>{i18n._('The simulator needs the permission channels.write. Whoever manages users can give it to your role.')}</p>
      </Empty>
    );
  }
  if (accounts.error && faultOf(accounts.error).status !== 404) return <Trouble error={accounts.error} again={() => void accounts.refetch()} />;
  if (accounts.error) {
    return (
      <Empty icon="flask" title={i18n._('There is no simulator here')}>
        <p>{i18n._('It comes with the demo only: an installation for customers has none.')}</p>
      </Empty>
    );
  }
  if (!accounts.data) return <div className="sim" aria-busy="true" />;
  const at = accounts.data.find((a) => idOf(a) === account) ?? accounts.data[0];
  const widgets = list.data?.filter((c) => c.type === 'webchat') ?? [];
  const nameOf = (a: Account) => list.data?.find((c) => c.type === a.type && a.webhook_url.endsWith(`/${c.id}`))?.name ?? `${a.type} ${a.id}`;
  return (
    <div className="sim">
      <Accounts accounts={accounts.data} at={at} nameOf={nameOf} widgets={widgets} onPick={(id) => void navigate({ to: '/simulator', search: { account: id }, replace: true })} />
      {at ? (
        <Stage key={idOf(at)} account={at} name={nameOf(at)} />
      ) : (
        <Empty icon="flask" title={i18n._('No account is played')}>
          <p>{i18n._('A channel is played whose provider is the simulator: make one with a made-up account, or set the API base URL of one that is there.')}</p>
          <Link to="/channels/$id" params={{ id: 'new' }} className="btn">
            {i18n._('New channel')}
          </Link>
        </Empty>
      )}
    </div>
  );
}

function Stage({ account, name }: { account: Account; name: string }) {
  const [round, setRound] = useState(0);
  const feed = useFeed(account.type, account.id, round);
  const played = usePeople(idOf(account));
  return (
    <>
      <Phone key={played.person.from} account={account} name={name} played={played} messages={feed.messages} hooks={feed.hooks} />
      <Provider account={account} feed={feed} person={played.person} onClear={() => setRound(round + 1)} />
    </>
  );
}
