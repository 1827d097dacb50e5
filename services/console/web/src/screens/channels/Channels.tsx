import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useMatch } from '@tanstack/react-router';
import { channels, me } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { Empty } from '../../parts/Empty';
import { ChannelGlyph, Icon } from '../../parts/Icon';
import { Trouble } from '../../parts/Note';

/** Channels is the list of channels beside the one that is open. */
export function Channels() {
  const { data: caller } = useQuery(me);
  const allowed = caller?.permissions.some((p) => p === 'channels.read' || p === 'channels.write') ?? false;
  const writes = caller?.permissions.includes('channels.write') ?? false;
  const list = useQuery({ ...channels, enabled: allowed });
  const open = useMatch({ from: '/shell/channels/$id', shouldThrow: false }) !== undefined;
  if (!caller) return null;
  if (!allowed) {
    return (
      <Empty icon="lock" title={i18n._('You may not see this')}>
        <p>{i18n._('Channels need the permission channels.read. Whoever manages users can give it to your role.')}</p>
      </Empty>
    );
  }
  return (
    <div className="set" data-pane={open ? 'one' : 'list'}>
      <nav className="sub" aria-label={i18n._('Channels')}>
        <h1>{i18n._('Channels')}</h1>
        {writes && (
          <Link to="/channels/$id" params={{ id: 'new' }} className="btn s">
            <Icon name="plus" small />
            {i18n._('New channel')}
          </Link>
        )}
        {!list.data && !list.error && (
          <div aria-busy="true">
            {[0, 1, 2].map((n) => (
              <div key={n} className="mi">
                <span className="sk skl" />
              </div>
            ))}
          </div>
        )}
        {list.error && <Trouble error={list.error} again={() => void list.refetch()} />}
        <ul>
          {list.data?.map((c) => (
            <li key={c.id}>
              <Link to="/channels/$id" params={{ id: c.id }} className="mi" activeProps={{ 'aria-current': 'true' }}>
                <ChannelGlyph type={c.type} />
                <bdi className="cut sp">{c.name}</bdi>
                {!c.enabled && <span className="chip">{i18n._('off')}</span>}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {open ? (
        <Outlet />
      ) : (
        <Empty icon="swap" title={list.data?.length === 0 ? i18n._('No channel yet') : i18n._('Pick a channel')}>
          <p>{i18n._('A channel connects an account of a provider: its settings, its webhook and what it can do stand here.')}</p>
        </Empty>
      )}
    </div>
  );
}
