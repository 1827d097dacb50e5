import { useQuery } from '@tanstack/react-query';
import type { Agent, Conversation } from '../../../api/client';
import { agents, me, queues } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { Icon } from '../../../parts/Icon';
import { Menu, MenuChoice, MenuHead, MenuItem, MenuLine } from '../../../parts/Menu';
import type { Actions } from './actions';

/** Assign says who holds a conversation, and gives it to somebody else or to a queue. */
export function Assign({ conversation: c, actions, mine, may, open, setOpen }: { conversation: Conversation; actions: Actions; mine: boolean; may: boolean; open: boolean; setOpen: (open: boolean) => void }) {
  const { data: caller } = useQuery(me);
  const { data: people } = useQuery({ ...agents, enabled: open });
  const { data: waiting } = useQuery(queues);
  const queue = waiting?.find((q) => q.id === c.queue_id);
  const holder = mine ? i18n._('You') : (c.assignee?.name ?? (c.bot_active ? i18n._('Bot') : (queue?.name ?? i18n._('Nobody'))));
  const to = (what: string, target: { agent_id?: string; queue_id?: string }) =>
    void (c.assignee && !('agent_id' in target && target.agent_id === caller?.agent_id) ? actions.transfer(what, target) : actions.assign(what, target));
  return (
    <Menu
      label={i18n._('Assign')}
      align="end"
      open={open}
      onOpen={setOpen}
      button={
        <button type="button" className="btn ghost asgb" title={i18n._('Assign or transfer (A)')}>
          {c.assignee ? <Avatar id={c.assignee.id} name={c.assignee.name} size="sm" /> : <Icon name={c.bot_active ? 'bot' : 'user'} />}
          <bdi className="lbl cut" aria-hidden="true">
            {holder}
          </bdi>
          <span className="sr">{i18n._('Assign or transfer, held by {name}', { name: holder })}</span>
          <Icon name="down" small />
        </button>
      }
    >
      {caller?.agent_id && !mine && (
        <MenuItem icon="user" onSelect={() => void actions.take(i18n._('Take it'))}>
          {i18n._('Take it')}
        </MenuItem>
      )}
      {!may && <MenuHead>{i18n._('Your role does not assign to others.')}</MenuHead>}
      {may && (
        <>
          {people && people.length > 0 && <MenuHead>{i18n._('People')}</MenuHead>}
          {people
            ?.toSorted((a, b) => order(a) - order(b) || a.name.localeCompare(b.name))
            .map((a) => (
              <MenuChoice key={a.id} checked={c.assignee?.id === a.id} onSelect={() => to(i18n._('Assign'), { agent_id: a.id })} end={<span className="t2 faint">{presence(a)}</span>}>
                <Avatar id={a.id} name={a.name} size="sm" />
                <bdi className="cut">{a.name}</bdi>
              </MenuChoice>
            ))}
          {waiting && waiting.length > 0 && <MenuHead>{i18n._('Queues')}</MenuHead>}
          {waiting?.map((q) => (
            <MenuChoice key={q.id} icon="queue" checked={!c.assignee && c.queue_id === q.id} onSelect={() => to(i18n._('Transfer'), { queue_id: q.id })}>
              <bdi className="cut">{q.name}</bdi>
            </MenuChoice>
          ))}
          {(c.assignee || c.queue_id) && (
            <>
              <MenuLine />
              <MenuItem icon="x" onSelect={() => void actions.assign(i18n._('Unassign'), { agent_id: null })}>
                {i18n._('Unassign')}
              </MenuItem>
            </>
          )}
        </>
      )}
    </Menu>
  );
}

const order = (a: Agent) => ['idle', 'busy', 'rest'].indexOf(a.presence?.state ?? '') >>> 0;

function presence(a: Agent): string {
  const load = `${a.load}/${a.limit}`;
  switch (a.presence?.state) {
    case 'idle':
      return `${i18n._('Idle')} · ${load}`;
    case 'busy':
      return `${i18n._('Busy')} · ${load}`;
    case 'rest':
      return `${i18n._('Rest')} · ${load}`;
    default:
      return a.presence_visible ? `${i18n._('Offline')} · ${load}` : load;
  }
}
