import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useMatches } from '@tanstack/react-router';
import { type Dispatch, lazy, type SetStateAction, Suspense, useEffect, useMemo, useState } from 'react';
import type { Caller } from '../api/client';
import { counters, me, simulated } from '../api/queries';
import { keepFor } from '../live/keep';
import { LiveProvider } from '../live/live';
import { i18n } from '../locales/i18n';
import { Badge } from '../parts/Badge';
import { Icon, Mark } from '../parts/Icon';
import { Toasts } from '../parts/toast';
import { Me } from './Me';
import { Outbox } from './Outbox';
import type { Place } from './places';
import { switchTheme } from './theme';

const Palette = lazy(() => import('./Palette'));

const places: Place[] = [
  { to: '/inbox', icon: 'chat', label: () => i18n._('Messages') },
  { to: '/channels', icon: 'cog', label: () => i18n._('Channels'), permission: 'channels.read' },
  { to: '/simulator', icon: 'flask', label: () => i18n._('Simulator'), permission: 'channels.write', demo: true },
];

/** Shell is what stands around every screen: the menu, the stream, and what is to be sent. */
export function Shell() {
  const { data: caller } = useQuery(me);
  const id = caller?.id;
  useMemo(() => id && keepFor(id), [id]); // before anything that is kept is shown or sent
  const [finding, setFinding] = useState(false);
  useRefusedDrops();
  if (!caller) return null;
  return (
    <LiveProvider me={caller}>
      <Outbox />
      <a className="skip" href="#main">
        {i18n._('Skip to content')}
      </a>
      <div className="app">
        <nav className="rail" aria-label={i18n._('Main menu')}>
          <Link to="/inbox" className="brand" aria-label={i18n._('Tributary, start')}>
            <Mark />
          </Link>
          <Places permissions={caller.permissions} />
          <div className="foot">
            <button type="button" className="ib" aria-label={i18n._('Find everything (Ctrl + K)')} title={i18n._('Find everything (Ctrl + K)')} aria-haspopup="dialog" onClick={() => setFinding(true)}>
              <Icon name="search" />
            </button>
            <button type="button" className="ib" aria-label={i18n._('Dark or light')} title={i18n._('Dark or light')} onClick={switchTheme}>
              <Icon name="sun" />
            </button>
            <Me caller={caller} />
          </div>
        </nav>
        <main className="main" id="main" tabIndex={-1}>
          <Outlet />
        </main>
        <nav className="tabbar" aria-label={i18n._('Main menu')}>
          <Places permissions={caller.permissions} />
          <Me caller={caller} />
        </nav>
      </div>
      <Toasts />
      <Title />
      <Commands caller={caller} open={finding} setOpen={setFinding} />
    </LiveProvider>
  );
}

/** Commands opens the palette with Ctrl or Cmd and K, from wherever the focus is. */
function Commands({ caller, open, setOpen }: { caller: Caller; open: boolean; setOpen: Dispatch<SetStateAction<boolean>> }) {
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey || e.key.toLowerCase() !== 'k' || e.isComposing) return;
      e.preventDefault();
      setOpen((now) => !now);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [setOpen]);
  const to = usePlaces(caller.permissions);
  return <Suspense>{open && <Palette caller={caller} places={to} onClose={() => setOpen(false)} />}</Suspense>;
}

/** useRefusedDrops keeps a file that is dropped beside a place for files from replacing the page, and everything that is typed there. */
function useRefusedDrops() {
  useEffect(() => {
    const refuse = (e: DragEvent) => {
      if (e.defaultPrevented || !e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      e.dataTransfer.dropEffect = 'none';
    };
    addEventListener('dragover', refuse);
    addEventListener('drop', refuse);
    return () => {
      removeEventListener('dragover', refuse);
      removeEventListener('drop', refuse);
    };
  }, []);
}

/** usePlaces are the entries of the menu that somebody may go to. */
function usePlaces(permissions: string[]): Place[] {
  const demo = useQuery({ ...simulated, enabled: permissions.includes('channels.write') });
  return places.filter((p) => (!p.permission || permissions.includes(p.permission)) && (!p.demo || demo.isSuccess));
}

function Places({ permissions }: { permissions: string[] }) {
  const { data } = useQuery(counters);
  const at = useMatches({ select: (m) => m.at(-1)?.pathname ?? '' });
  return usePlaces(permissions).map((p) => (
    <Link key={p.to} to={p.to} aria-current={at.startsWith(p.to) ? 'page' : undefined}>
      <Icon name={p.icon} />
      {p.to === '/inbox' && data && (
        <Badge
          colour="red"
          count={data.messages_unresponded.count + data.comments_unresponded.count}
          capped={data.messages_unresponded.capped || data.comments_unresponded.capped}
          words={i18n._('{n} not responded to', { n: data.messages_unresponded.count + data.comments_unresponded.count })}
        />
      )}
      <span>{p.label()}</span>
    </Link>
  ));
}

/** Title is the place, and the browser tab's badge: how many conversations nobody has. */
function Title() {
  const { data } = useQuery(counters);
  const at = useMatches({ select: (m) => m.at(-1)?.pathname ?? '' });
  const place = (places.find((p) => at.startsWith(p.to)) ?? places[0])?.label();
  const n = data?.unassigned;
  useEffect(() => {
    const count = n && n.count > 0 ? `(${n.count}${n.capped ? '+' : ''}) ` : '';
    document.title = `${count}${place} · Tributary`;
  }, [n, place]);
  return null;
}
