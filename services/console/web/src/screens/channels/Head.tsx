import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { ChannelGlyph, Icon } from '../../parts/Icon';
import { Menu, MenuItem } from '../../parts/Menu';
import { short } from '../../parts/time';
import { idOf } from '../simulator/types';
import { DeleteDialog } from './DeleteDialog';

/** Head says which channel it is and whether it receives, and has what concerns it as a whole. */
export function Head({ channel: c, title, account, writes, turning, onTurn }: { channel: Schemas['Channel']; title: string; account: Schemas['SimulatedAccount'] | undefined; writes: boolean; turning: boolean; onTurn: (on: boolean) => void }) {
  const [deleting, setDeleting] = useState(false);
  return (
    <header className="row chh">
      <ChannelGlyph type={c.type} large />
      <div className="sp">
        <h2>
          <bdi>{c.name}</bdi>
        </h2>
        <p className="t2 dim">
          {title} · <State channel={c} />
        </p>
      </div>
      {account && (
        <Link to="/simulator" search={{ account: idOf(account) }} className="btn" aria-label={i18n._('Simulate')} title={i18n._('The simulator is its provider: be the customer')}>
          <Icon name="flask" small />
          <span className="lbl">{i18n._('Simulate')}</span>
        </Link>
      )}
      {c.type === 'webchat' && (
        <a className="btn" href={`/chat/${encodeURIComponent(c.id)}/demo`} target="_blank" rel="noopener noreferrer" aria-label={i18n._('Try it')} title={i18n._('Opens a page with the web chat, where you are the visitor')}>
          <Icon name="out" small flip />
          <span className="lbl">{i18n._('Try it')}</span>
        </a>
      )}
      <label className="row nw">
        <span className="lbl">{i18n._('Enabled')}</span>
        <input className="sw" type="checkbox" role="switch" aria-label={i18n._('Enabled')} checked={c.enabled} disabled={!writes || turning} onChange={(e) => onTurn(e.target.checked)} />
      </label>
      {writes && (
        <Menu
          label={i18n._('More')}
          align="end"
          button={
            <button type="button" className="ib" aria-label={i18n._('More')} title={i18n._('More')}>
              <Icon name="more" />
            </button>
          }
        >
          <MenuItem icon="trash" bad onSelect={() => setDeleting(true)}>
            {i18n._('Delete the channel…')}
          </MenuItem>
        </Menu>
      )}
      {deleting && <DeleteDialog channel={c} onClose={() => setDeleting(false)} />}
    </header>
  );
}

function State({ channel: { enabled, connection } }: { channel: Schemas['Channel'] }) {
  if (!enabled) return <Dot tone="ring" words={i18n._('Switched off: nothing is sent or taken')} />;
  if (!connection) return <Dot tone="ok" words={i18n._('Switched on')} />;
  const since = short(connection.since);
  const next = connection.next_try_at ? i18n._('tried again at {when}', { when: short(connection.next_try_at) }) : '';
  if (connection.state === 'connected') return <Dot tone="ok" words={i18n._('Connected since {when}', { when: since })} />;
  if (connection.state === 'unheard') return <Dot tone="warn" words={i18n._('Not heard of since {when}', { when: short(connection.seen_at) })} />;
  return <Dot tone="bad" words={[i18n._('Cannot connect since {when}', { when: since }), connection.error?.detail ?? connection.error?.code, next].filter(Boolean).join(', ')} />;
}

function Dot({ tone, words }: { tone: string; words: string }) {
  return (
    <>
      <span className={`dot ${tone}`} /> {words}
    </>
  );
}
