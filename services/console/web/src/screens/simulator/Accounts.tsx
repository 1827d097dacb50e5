import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { ChannelGlyph, Icon } from '../../parts/Icon';
import { type Account, idOf } from './types';

/** Accounts are what may be played: a list, or a select where there is less room. */
export function Accounts({
  accounts,
  at,
  nameOf,
  widgets,
  onPick,
}: {
  accounts: Account[];
  at: Account | undefined;
  nameOf: (a: Account) => string;
  widgets: Schemas['Channel'][];
  onPick: (id: string) => void;
}) {
  return (
    <section className="acc" aria-label={i18n._('Channels')}>
      <h1>{i18n._('Simulator')}</h1>
      <p className="t2 dim">{i18n._('Be the customer on any channel. Nothing leaves this machine.')}</p>
      {accounts.length > 0 && (
        <select className="in only-s" aria-label={i18n._('Channel')} value={at && idOf(at)} onChange={(e) => onPick(e.target.value)}>
          {accounts.map((a) => (
            <option key={idOf(a)} value={idOf(a)}>
              {nameOf(a)}
            </option>
          ))}
        </select>
      )}
      <ul>
        {accounts.map((a) => (
          <li key={idOf(a)}>
            <button type="button" className="mi" aria-current={a === at ? 'true' : undefined} onClick={() => onPick(idOf(a))}>
              <ChannelGlyph type={a.type} />
              <bdi className="cut">{nameOf(a)}</bdi>
            </button>
          </li>
        ))}
      </ul>
      <Link to="/channels/$id" params={{ id: 'new' }} className="mi new">
        <Icon name="plus" small />
        {i18n._('New channel')}
      </Link>
      <ul className="widgets">
        {widgets.map((c) => (
          <li key={c.id}>
            <a className="mi" href={`/chat/${encodeURIComponent(c.id)}/demo`} target="_blank" rel="noopener noreferrer" title={i18n._('Opens a page with the web chat, where you are the visitor')}>
              <ChannelGlyph type={c.type} />
              <bdi className="cut sp">{c.name}</bdi>
              <Icon name="out" small flip />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
