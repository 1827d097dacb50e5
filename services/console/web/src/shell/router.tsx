import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { faultOf } from '../api/fault';
import { type Listing, listed, listing, me, views } from '../api/queries';
import { Trouble } from '../parts/Note';
import { inside, toSignIn } from './places';
import { Shell } from './Shell';

interface Context {
  cache: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  errorComponent: ({ error, reset }) => <Trouble error={error} again={reset} />,
});

const signin = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (s: Record<string, unknown>): { to?: string; ended?: true } => ({
    ...(typeof s['to'] === 'string' && inside(s['to']) && { to: s['to'] }),
    ...(s['ended'] === true && { ended: true }),
  }),
  component: lazyRouteComponent(() => import('../screens/signin/SignIn'), 'SignIn'),
});

/** Everything but the sign-in needs a session. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      return { caller: await context.cache.ensureQueryData(me) };
    } catch (error) {
      if (faultOf(error).status === 401) throw redirect(toSignIn(location.href, false));
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/inbox', replace: true });
  },
});

export type InboxSearch = Partial<Listing>;

const kept = (v: unknown) => (typeof v === 'string' && v !== '' && v.length <= 256 ? v : undefined);

function inboxSearch(s: Record<string, unknown>): InboxSearch {
  const view = views.find((v) => v === s['view'] && v !== 'all');
  const sort = (['last_message_at', '-waiting_since'] as const).find((v) => v === s['sort']);
  return {
    ...(view && { view }),
    ...(s['kind'] === 'comments' && { kind: 'comments' as const }),
    ...(sort && { sort }),
    ...(s['unread'] === true && { unread: true as const }),
    ...(kept(s['channel_id']) && { channel_id: kept(s['channel_id']) }),
    ...(kept(s['queue_id']) && { queue_id: kept(s['queue_id']) }),
    ...(kept(s['tag']) && { tag: kept(s['tag']) }),
  };
}

const inbox = createRoute({
  getParentRoute: () => shell,
  path: '/inbox',
  validateSearch: inboxSearch,
  // The list is asked for while its screen is loaded.
  beforeLoad: ({ context, search }) => void context.cache.prefetchInfiniteQuery(listing(listed(search))),
  component: lazyRouteComponent(() => import('../screens/inbox/Inbox'), 'Inbox'),
});

const talk = createRoute({ getParentRoute: () => inbox, path: '$id', component: lazyRouteComponent(() => import('../screens/inbox/Talk'), 'Talk') });

const simulator = createRoute({
  getParentRoute: () => shell,
  path: '/simulator',
  validateSearch: (s: Record<string, unknown>): { account?: string } => ({ ...(kept(s['account']) && { account: kept(s['account']) }) }),
  component: lazyRouteComponent(() => import('../screens/simulator/Simulator'), 'Simulator'),
});

const channels = createRoute({ getParentRoute: () => shell, path: '/channels', component: lazyRouteComponent(() => import('../screens/channels/Channels'), 'Channels') });

const channel = createRoute({ getParentRoute: () => channels, path: '$id', component: lazyRouteComponent(() => import('../screens/channels/Channel'), 'Channel') });

const tree = root.addChildren([signin, home, shell.addChildren([inbox.addChildren([talk]), simulator, channels.addChildren([channel])])]);

/** createPlaces makes the router; every screen is loaded when it is gone to. */
export function createPlaces(cache: QueryClient) {
  return createRouter({ routeTree: tree, context: { cache }, defaultPreload: 'intent', scrollRestoration: false });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPlaces>;
  }
}
