import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command as Commands } from 'cmdk';
import { Dialog } from 'radix-ui';
import { useMemo, useRef, useState } from 'react';
import type { Caller } from '../api/client';
import { channels, views } from '../api/queries';
import { known } from '../live/lists';
import { i18n } from '../locales/i18n';
import { type Command, commands } from '../parts/commands';
import { Icon } from '../parts/Icon';
import { oneLine } from '../parts/plain';
import { viewIcon, viewName } from '../parts/views';
import type { Place } from './places';
import { ranked } from './ranked';
import { useSignOut } from './signOut';
import { switchTheme } from './theme';

// So many people of the list are offered by name; others are found by searching.
const people = 200;

/** Palette finds what can be done, and where one can go, by a few letters. What is chosen happens once the palette has gone. */
export default function Palette({ caller, places, onClose }: { caller: Caller; places: Place[]; onClose: () => void }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const out = useSignOut();
  const chosen = useRef<() => void>(undefined);
  const { data: connected } = useQuery(channels);
  const may = (p: string) => caller.permissions.includes(p);
  const all = useMemo<Command[]>(
    () => [
      ...commands(),
      ...views.map((view) => ({
        group: i18n._('Views'),
        icon: viewIcon(view),
        label: viewName(view),
        run: () => void navigate({ to: '/inbox', search: view === 'all' ? {} : { view } }),
      })),
      ...(connected ?? []).map((ch) => ({
        group: i18n._('Messages on a channel'),
        icon: 'filter' as const,
        label: ch.name,
        run: () => void navigate({ to: '/inbox', search: { channel_id: ch.id } }),
      })),
      ...(may('channels.read') ? (connected ?? []) : []).map((ch) => ({
        group: i18n._('Settings of a channel'),
        icon: 'cog' as const,
        label: ch.name,
        run: () => void navigate({ to: '/channels/$id', params: { id: ch.id } }),
      })),
      ...places.map((p) => ({ group: i18n._('Go to'), icon: p.icon, label: p.label(), run: () => void navigate({ to: p.to }) })),
      { group: i18n._('Console'), icon: 'sun', label: i18n._('Dark or light'), run: switchTheme },
      { group: i18n._('Console'), icon: 'out', label: i18n._('Sign out'), run: () => void out() },
      ...known(cache, people).map((c) => ({
        group: i18n._('People'),
        icon: 'chat' as const,
        label: oneLine(c.contact.name, 80) || c.peer,
        run: () => void navigate({ to: '/inbox/$id', params: { id: c.id }, search: {} }),
      })),
    ],
    [connected],
  );
  const [typed, setTyped] = useState('');
  const groups = useMemo(() => ranked(all, typed), [all, typed]);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="scrim top">
          <Dialog.Content
            className="dlg pal"
            aria-describedby={undefined}
            onCloseAutoFocus={() => {
              // Behind the return of the focus, which would take it from what the command opens.
              if (chosen.current) setTimeout(chosen.current);
            }}
          >
            <Dialog.Title className="sr">{i18n._('Commands')}</Dialog.Title>
            <Commands loop shouldFilter={false} label={i18n._('What do you want to do?')}>
              <div className="search">
                <Icon name="search" />
                <Commands.Input className="in" maxLength={200} placeholder={i18n._('What do you want to do?')} onValueChange={setTyped} />
              </div>
              <Commands.List className="pals" label={i18n._('Commands')}>
                <Commands.Empty className="dim">{i18n._('Nothing has this name.')}</Commands.Empty>
                {groups.map(({ group, commands: some }) => (
                  <Commands.Group key={group} heading={group}>
                    {some.map((c) => (
                      <Commands.Item
                        key={all.indexOf(c)}
                        className="mi"
                        value={String(all.indexOf(c))}
                        onSelect={() => {
                          chosen.current = c.run;
                          onClose();
                        }}
                      >
                        <Icon name={c.icon} />
                        <bdi className="cut sp">{c.label}</bdi>
                        {c.keys && <kbd className="kbd">{c.keys}</kbd>}
                      </Commands.Item>
                    ))}
                  </Commands.Group>
                ))}
              </Commands.List>
            </Commands>
          </Dialog.Content>
        </Dialog.Overlay>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
