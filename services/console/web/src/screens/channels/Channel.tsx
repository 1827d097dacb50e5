import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { channel, channelTypes, me } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { Icon } from '../../parts/Icon';
import { Trouble } from '../../parts/Note';
import { ChannelForm } from './ChannelForm';
import type { ChannelType } from './form';

/** Channel is one channel, or a new one. */
export function Channel() {
  const { id } = useParams({ from: '/shell/channels/$id' });
  const fresh = id === 'new';
  const { data: caller } = useQuery(me);
  const types = useQuery(channelTypes);
  const one = useQuery({ ...channel(id), enabled: !fresh });
  const error = types.error ?? (fresh ? undefined : one.error);
  const writes = caller?.permissions.includes('channels.write') ?? false;
  if (error || (fresh && caller && !writes)) {
    return (
      <div className="setc">
        <div className="page">
          <Crumb />
          {error ? (
            <Trouble error={error} again={() => void (types.error ? types.refetch() : one.refetch())} />
          ) : (
            <p className="dim">{i18n._('A new channel needs the permission channels.write. Whoever manages users can give it to your role.')}</p>
          )}
        </div>
      </div>
    );
  }
  if (!types.data || !caller || (!fresh && !one.data)) {
    return (
      <div className="setc" aria-busy="true">
        <div className="page">
          <Crumb />
          {[0, 1, 2, 3].map((n) => (
            <div key={n} className="sr2">
              <span className="sk skl" />
              <span className="sk skc" />
            </div>
          ))}
        </div>
      </div>
    );
  }
  return <ChannelForm key={id} types={types.data as unknown as ChannelType[]} now={fresh ? undefined : (one.data as Schemas['Channel'])} writes={writes} log={caller.permissions.includes('webhook_log.read')} />;
}

/** Crumb is the way back to the list, which a phone does not show beside it. */
export function Crumb({ name }: { name?: string }) {
  return (
    <nav className="crumb t2" aria-label={i18n._('Path')}>
      <Link to="/channels">
        <Icon name="left" small flip />
        {i18n._('All channels')}
      </Link>
      {name && (
        <>
          <Icon name="right" small flip />
          <bdi className="cut" aria-current="page">
            {name}
          </bdi>
        </>
      )}
    </nav>
  );
}
