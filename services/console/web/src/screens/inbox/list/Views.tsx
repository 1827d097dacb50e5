import { useQueries, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../../api/client';
import { counters, indicator, type Listing, type View, views } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Badge } from '../../../parts/Badge';
import { Icon } from '../../../parts/Icon';
import { Menu, MenuChoice, MenuLine } from '../../../parts/Menu';
import { viewIcon, viewName } from '../../../parts/views';

type Counts = Schemas['Counters'];

/** counted is the number of a view's conversations, for the views that the server counts. */
function counted(view: View, kind: Listing['kind'], c: Counts | undefined) {
  if (view === 'unresponded') return kind === 'messages' ? c?.messages_unresponded : c?.comments_unresponded;
  return undefined;
}

/** Views is the drop-down of the views, each with its indicator: red where something is unread, blue where nothing is. */
export function Views({ of, go }: { of: Listing; go: (change: Partial<Listing>) => void }) {
  const [asked, setAsked] = useState(false);
  const { data: counts } = useQuery(counters);
  const shown = asked ? views : ([...new Set([of.view, 'mine'])] as View[]);
  const found = useQueries({ queries: shown.map((view) => indicator(view, of.kind)) });
  const state = new Map(shown.map((view, i) => [view, found[i]?.data]));
  return (
    <>
      <Menu
        label={i18n._('Views')}
        onOpen={() => setAsked(true)}
        button={
          <button type="button" className="vsel">
            {viewName(of.view)}
            <Icon name="down" small />
            <Indicator state={state.get(of.view)} count={counted(of.view, of.kind, counts)} />
          </button>
        }
      >
        {views.map((view) => (
          <div key={view} className="contents">
            {view === 'unresponded' && <MenuLine />}
            <MenuChoice icon={viewIcon(view)} checked={of.view === view} onSelect={() => go({ view })} end={<Indicator state={state.get(view)} count={counted(view, of.kind, counts)} />}>
              {viewName(view)}
            </MenuChoice>
          </div>
        ))}
        <p className="h row legend">
          <span className="dot bad" /> {i18n._('has unread')} <span className="dot acc" /> {i18n._('nothing unread')}
        </p>
      </Menu>
      <button type="button" className="mineb" aria-pressed={of.view === 'mine'} title={i18n._('Only contacts assigned to me')} onClick={() => go({ view: of.view === 'mine' ? 'all' : 'mine' })}>
        <Icon name="user" small />
        {i18n._('Mine')}
        <Indicator state={state.get('mine')} />
      </button>
    </>
  );
}

function Indicator({ state, count }: { state?: 'unread' | 'read' | 'empty'; count?: { count: number; capped: boolean } }) {
  if (!state || state === 'empty') return null;
  const words = state === 'unread' ? i18n._('has unread') : i18n._('nothing unread');
  if (count && count.count > 0) return <Badge count={count.count} capped={count.capped} colour={state === 'unread' ? 'red' : 'blue'} words={`${count.count}, ${words}`} />;
  return (
    <span className={`dot ${state === 'unread' ? 'bad' : 'acc'}`} title={words}>
      <span className="sr">{words}</span>
    </span>
  );
}
