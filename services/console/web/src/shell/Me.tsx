import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, type Caller, data } from '../api/client';
import { i18n } from '../locales/i18n';
import { Avatar } from '../parts/Avatar';
import { Menu, MenuChoice, MenuHead, MenuItem, MenuLine } from '../parts/Menu';
import { toast } from '../parts/toast';
import { worded } from '../parts/words';
import { useSignOut } from './signOut';

const states = ['idle', 'busy', 'rest', 'offline'] as const;
type State = (typeof states)[number];

const names: Record<State, () => string> = {
  idle: () => i18n._('Idle'),
  busy: () => i18n._('Busy'),
  rest: () => i18n._('Rest'),
  offline: () => i18n._('Offline'),
};
const dots: Record<State, string> = { idle: 'ok', busy: 'warn', rest: 'warn', offline: 'ring' };

// A presence is a lease; it is said again well before it ends, for as long as the page is there.
const lease = 900;
const renewed = 300_000;

/** Me is the caller's own menu: presence and the way out. */
export function Me({ caller }: { caller: Caller }) {
  const cache = useQueryClient();
  const id = caller.agent_id;
  const own = useQuery({
    queryKey: ['agent', id],
    enabled: !!id,
    queryFn: () => data(api.GET('/v1/agents/{id}', { params: { path: { id: id ?? '' } } })),
  });
  const state = (states.find((s) => s === own.data?.presence?.state) ?? 'offline') satisfies State;
  const say = useMutation({
    mutationFn: (to: State) => data(api.PUT('/v1/agents/{id}/presence', { params: { path: { id: id ?? '' } }, body: { state: to, lease_seconds: lease } })),
    onSuccess: (agent) => cache.setQueryData(['agent', id], agent),
    onError: (error) => toast('alert', worded(error)),
  });
  const { mutate } = say;
  useEffect(() => {
    if (!id || state === 'offline') return;
    const timer = setInterval(() => mutate(state), renewed);
    return () => clearInterval(timer);
  }, [id, state, mutate]);

  const out = useSignOut();
  const load = own.data ? i18n._('{load} of {limit} conversations', { load: own.data.load, limit: own.data.limit }) : '';
  return (
    <Menu
      label={i18n._('You')}
      align="end"
      button={
        <button type="button" className="me" title={[caller.name, load].filter(Boolean).join(', ')}>
          <span className="sr">{caller.name}</span>
          <Avatar id={id ?? caller.id} name={caller.name} size="md" />
          {id && (
            <span className="row gap-1">
              <span className={`dot ${dots[state]}`} />
              {names[state]()}
            </span>
          )}
        </button>
      }
    >
      <MenuHead>
        <bdi>{caller.name}</bdi>
        {load && ` · ${load}`}
      </MenuHead>
      {id &&
        states.map((s) => (
          <MenuChoice key={s} checked={s === state} onSelect={() => mutate(s)}>
            <span className={`dot ${dots[s]}`} />
            {names[s]()}
          </MenuChoice>
        ))}
      <MenuLine />
      <MenuItem icon="out" onSelect={() => void out()}>
        {i18n._('Sign out')}
      </MenuItem>
    </Menu>
  );
}
