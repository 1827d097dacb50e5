import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, useLocation, useMatch, useNavigate } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Conversation } from '../../../api/client';
import { type Listing, counters, listed, listing, queues } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Badge } from '../../../parts/Badge';
import { Empty } from '../../../parts/Empty';
import { Icon } from '../../../parts/Icon';
import { Menu, MenuChoice, MenuHead } from '../../../parts/Menu';
import { Trouble } from '../../../parts/Note';
import { viewName } from '../../../parts/views';
import { useKeys } from '../keys';
import { Filter, isFiltered } from './Filter';
import { held } from './held';
import { Row } from './Row';
import { Search } from './Search';
import { RowSkeletons } from './Skeletons';
import { Views } from './Views';

const route = getRouteApi('/shell/inbox');

/** useListing is what the address says the list shows. */
export function useListing(): Listing {
  const search = route.useSearch();
  return useMemo(() => listed(search), [search]);
}

const orders: [Listing['sort'], () => string, () => string][] = [
  ['-last_message_at', () => i18n._('Newest message'), () => i18n._('Newest')],
  ['last_message_at', () => i18n._('Oldest message'), () => i18n._('Oldest')],
  ['-waiting_since', () => i18n._('Waiting longest'), () => i18n._('Waiting')],
];

export function List() {
  const of = useListing();
  const navigate = useNavigate();
  const { data: count } = useQuery(counters);
  const [searching, setSearching] = useState(false);
  useKeys({ '/': () => setSearching(true) });
  const go = (change: Partial<Listing>) => void navigate({ to: '.', search: (s) => ({ ...s, ...change }) });
  const kinds = [
    ['messages', i18n._('Messages'), count?.messages_unresponded],
    ['comments', i18n._('Comments'), count?.comments_unresponded],
  ] as const;
  return (
    <>
      <header className="lh">
        <Views of={of} go={go} />
        <span className="sp" />
        <Filter of={of} go={go} />
        <button type="button" className="ib" aria-label={i18n._('Search (/)')} title={i18n._('Search (/)')} aria-expanded={searching} onClick={() => setSearching(!searching)}>
          <Icon name="search" />
        </button>
      </header>
      <div className="tabs">
        <div role="tablist" aria-label={i18n._('Kind')} className="contents">
          {kinds.map(([kind, name, n]) => (
            <button
              key={kind}
              type="button"
              role="tab"
              aria-selected={of.kind === kind}
              aria-controls="rows"
              tabIndex={of.kind === kind ? 0 : -1}
              onClick={() => go({ kind })}
              onKeyDown={(e) => {
                if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
                go({ kind: kind === 'messages' ? 'comments' : 'messages' });
                ((e.currentTarget.nextElementSibling ?? e.currentTarget.previousElementSibling) as HTMLElement | null)?.focus();
              }}
            >
              {name}
              {n && <Badge colour="red" count={n.count} capped={n.capped} words={i18n._('{n} not responded to', { n: n.count })} />}
            </button>
          ))}
        </div>
        <span className="sp" />
        <Menu
          label={i18n._('Order')}
          align="end"
          button={
            <button type="button" className="t2 dim row nw sort">
              {orders.find(([sort]) => sort === of.sort)?.[2]()}
              <Icon name="down" small />
            </button>
          }
        >
          <MenuHead>{i18n._('Order')}</MenuHead>
          {orders.map(([sort, name]) => (
            <MenuChoice key={sort} checked={of.sort === sort} onSelect={() => go({ sort })}>
              {name()}
            </MenuChoice>
          ))}
        </Menu>
      </div>
      {searching && <Search onClose={() => setSearching(false)} />}
      <Rows key={JSON.stringify(of)} of={of} reset={() => go({ unread: undefined, channel_id: undefined, queue_id: undefined, tag: undefined })} />
    </>
  );
}

function Rows({ of, reset }: { of: Listing; reset: () => void }) {
  const query = useInfiniteQuery(listing(of));
  const { data: waiting } = useQuery(queues);
  const open = useMatch({ from: '/shell/inbox/$id', shouldThrow: false })?.params.id;
  const search = useLocation({ select: (l) => l.searchStr });
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const [away, setAway] = useState(false);
  const shown = useRef<Conversation[]>([]);
  const fresh = useMemo(() => query.data?.pages.flatMap((p) => p.data) ?? [], [query.data]);
  // Rows stay where they are while somebody reads further down; what moved up is told, and shown when they ask for it.
  const { rows, moved } = useMemo(() => (away ? held(shown.current, fresh) : { rows: fresh, moved: 0 }), [away, fresh]);
  shown.current = rows;

  const [rowHeight] = useState(heightOfRows);
  // The same function for the same rows: with another one every row would be measured anew, at every step of scrolling.
  const getItemKey = useCallback((i: number) => rows[i]?.id ?? i, [rows]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12, getItemKey });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && lastShown >= rows.length - 15) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, lastShown, rows.length]);

  const [focus, setFocus] = useState<string>();
  const openAt = useMemo(() => placeOf(rows, open), [rows, open]);
  const focusAt = useMemo(() => Math.max(0, placeOf(rows, focus ?? open)), [rows, open, focus]);
  const go = useCallback((id: string | undefined) => id && void navigate({ to: '/inbox/$id', params: { id }, search: true }), [navigate]);
  const { scrollToIndex } = virtual;
  const move = useCallback(
    (from: string, by: number) => {
      const at = placeOf(shown.current, from) + by;
      const to = Math.min(shown.current.length - 1, Math.max(0, at));
      const id = shown.current[to]?.id;
      if (id === undefined) return;
      setFocus(id);
      scrollToIndex(to, { align: 'auto' });
      requestAnimationFrame(() => document.getElementById(id)?.focus());
    },
    [scrollToIndex],
  );
  useKeys({
    j: () => go(rows[Math.min(rows.length - 1, openAt + 1)]?.id),
    k: () => go(rows[Math.max(0, openAt - 1)]?.id),
  });

  if (query.isPending) return <RowSkeletons again={() => void query.refetch()} />;
  if (query.isError && rows.length === 0) return <Trouble error={query.error} again={() => void query.refetch()} />;
  if (rows.length === 0) return <Nothing of={of} reset={reset} />;
  return (
    <div className="rows" id="rows" role="tabpanel" aria-label={viewName(of.view)} ref={scroller} tabIndex={-1} onScroll={(e) => setAway(e.currentTarget.scrollTop > 8)}>
      {moved > 0 && (
        <button type="button" className="btn s moved" onClick={() => scroller.current?.scrollTo({ top: 0 })}>
          <Icon name="out" small />
          {i18n._('{n, plural, one {# moved up} other {# moved up}}', { n: moved })}
        </button>
      )}
      <ul className="relative" ref={(ul) => ul?.style.setProperty('height', `${virtual.getTotalSize()}px`)} aria-busy={query.isFetchingNextPage}>
        {items.map((item) => {
          const c = rows[item.index];
          return (
            c && (
              <li key={c.id} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start}px)` }} aria-setsize={query.hasNextPage ? -1 : rows.length} aria-posinset={item.index + 1}>
                <Row
                  conversation={c}
                  queue={c.assignee ? undefined : waiting?.find((q) => q.id === c.queue_id)?.name}
                  href={`/inbox/${c.id}${search}`}
                  selected={c.id === open}
                  tabIndex={item.index === focusAt ? 0 : -1}
                  onOpen={go}
                  onFocus={setFocus}
                  onMove={move}
                />
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}

/** placeOf is where a conversation stands among the rows; -1: nowhere. */
const placeOf = (rows: Conversation[], id: string | undefined) => (id === undefined ? -1 : rows.findIndex((c) => c.id === id));

/** heightOfRows is that of every row, in pixels. */
function heightOfRows(): number {
  const style = getComputedStyle(document.documentElement);
  return parseFloat(style.getPropertyValue('--row')) * parseFloat(style.fontSize);
}

function Nothing({ of, reset }: { of: Listing; reset: () => void }) {
  if (isFiltered(of)) {
    return (
      <Empty icon="filter" title={i18n._('No conversation fits the filter')}>
        <button type="button" className="btn" onClick={reset}>
          {i18n._('Reset the filter')}
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="inbox" title={of.view === 'all' ? i18n._('No conversations yet') : i18n._('Nothing waits here')}>
      <p>{of.view === 'all' ? i18n._('A conversation opens by itself when somebody writes on a connected channel.') : i18n._('The view {view} is empty.', { view: viewName(of.view) })}</p>
    </Empty>
  );
}
