import './styles/app.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { onSignedOut } from './api/client';
import { faultOf } from './api/fault';
import { me } from './api/queries';
import { keep, kept } from './live/keep';
import { speak } from './locales/i18n';
import { toSignIn } from './shell/places';
import { createPlaces } from './shell/router';
import { applyTheme } from './shell/theme';

applyTheme();
speak(navigator.language.split('-')[0] ?? 'en');
// Parts that write style elements of their own do it under the nonce of this page.
setNonce(document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '');

const cache = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream says what has changed: nothing is asked for again because time has passed or a window got the focus.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (tries, error) => faultOf(error).passing && faultOf(error).status !== 401 && tries < 4,
      retryDelay: (tries, error) => Math.max(500 * 2 ** tries, (faultOf(error).after ?? 0) * 1000),
    },
  },
});
const router = createPlaces(cache);
onSignedOut(() => {
  if (router.latestLocation.pathname === '/signin') return; // several calls may hear of it
  const ended = cache.getQueryData(me.queryKey) !== undefined; // else there was no session yet
  cache.removeQueries(me);
  void router.navigate(toSignIn(router.latestLocation.href, ended));
});

// After an upgrade of the server, parts that an open page has not loaded yet are gone: the page is loaded anew, and what was typed is kept.
// Where the server cannot be reached, or a part is missing once more, nothing would be gained.
const renewed = 'renewed';
addEventListener('vite:preloadError', () => {
  if (Date.now() - (kept<number>(renewed) ?? 0) < 60_000) return;
  void fetch('/', { method: 'GET', cache: 'no-store' }).then(
    (page) => {
      if (!page.ok) return;
      keep(renewed, Date.now());
      location.reload();
    },
    () => undefined,
  );
});

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}
