import { Outlet, useMatch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Empty } from '../../parts/Empty';
import { Connection } from './Connection';
import { useKeys } from './keys';
import { List } from './list/List';

const KeysDialog = lazy(() => import('./KeysDialog'));

/** Inbox is the list of conversations beside the one that is open. On a phone one of them is shown at a time. */
export function Inbox() {
  const open = useMatch({ from: '/shell/inbox/$id', shouldThrow: false }) !== undefined;
  const [help, setHelp] = useState(false);
  useKeys({ '?': () => setHelp(true) });
  // The list comes first; a conversation is wanted soon after it.
  useEffect(() => void import('./Talk'), []);
  return (
    <div className="inb" data-pane={open ? 'chat' : 'list'}>
      <h1 className="sr">{i18n._('Messages')}</h1>
      <section className="list" aria-label={i18n._('Contact list')}>
        <Connection />
        <List />
      </section>
      {open ? (
        <Outlet />
      ) : (
        <section className="con" aria-label={i18n._('Conversation')}>
          <Empty icon="chat" title={i18n._('Pick a conversation')}>
            <p>{i18n._('J and K move through the list, Enter opens. Ctrl + K finds everything, ? shows all keys.')}</p>
          </Empty>
        </section>
      )}
      <Suspense>{help && <KeysDialog onClose={() => setHelp(false)} />}</Suspense>
    </div>
  );
}
