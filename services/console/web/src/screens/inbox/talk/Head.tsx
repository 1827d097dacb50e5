import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Conversation } from '../../../api/client';
import { me, settings } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { type Command, useCommands } from '../../../parts/commands';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { IconMenu, MenuChoice, MenuHead, MenuItem, MenuLine, SubMenu } from '../../../parts/Menu';
import { soon } from '../../../parts/time';
import { toast } from '../../../parts/toast';
import { useKeys } from '../keys';
import type { Actions } from './actions';
import { Assign } from './Assign';
import { snoozes } from './snoozes';

const CloseDialog = lazy(() => import('./CloseDialog'));
const RoutingDialog = lazy(() => import('./RoutingDialog'));
const SnoozeDialog = lazy(() => import('./SnoozeDialog'));

const priorities = ['urgent', 'high', 'normal', 'low', 'none'] as const;

export const priorityName = (p: Conversation['priority']): string =>
  ({ none: () => i18n._('None'), low: () => i18n._('Low'), normal: () => i18n._('Normal'), high: () => i18n._('High'), urgent: () => i18n._('Urgent') })[p]();

/** Head says whose conversation this is and who holds it, and does everything that can be done to it. */
export function Head({ conversation: c, actions, details, onDetails }: { conversation: Conversation; actions: Actions; details: boolean; onDetails: () => void }) {
  const { data: caller } = useQuery(me);
  const { data: tenant } = useQuery(settings);
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'close' | 'routing' | 'snooze'>();
  const [assigning, setAssigning] = useState(false);
  const may = (p: string) => caller?.permissions.includes(p) ?? false;
  const mine = !!caller?.agent_id && c.assignee?.id === caller.agent_id;

  const close = async (note: { category?: string; summary?: string }) => {
    setAsking(undefined);
    if (await actions.close(i18n._('Close'), note)) toast('check', i18n._('Closed {name}.', { name: c.contact.name }), { label: i18n._('Undo'), run: () => void actions.reopen(i18n._('Reopen')) });
  };
  const snooze = async (until: Date) => {
    setAsking(undefined);
    if (await actions.snooze(i18n._('Snooze'), until)) toast('alarm', i18n._('Snoozed until {time}.', { time: soon(until) }), { label: i18n._('Undo'), run: () => void actions.unsnooze(i18n._('Unsnooze')) });
  };
  const startClose = () => (tenant?.close_note_required ? setAsking('close') : void close({}));
  const take = () => void actions.take(i18n._('Take it'));
  const unread = () => void actions.unread(i18n._('Mark unread')).then((done) => done && void navigate({ to: '/inbox', search: true }));
  useKeys({ a: () => c.status !== 'closed' && setAssigning(true), t: take, e: () => c.status !== 'closed' && startClose(), s: () => c.status !== 'closed' && setAsking('snooze'), d: onDetails });

  useCommands(() => {
    const group = i18n._('This conversation');
    const open = c.status !== 'closed';
    const list: (Command | false)[] = [
      open && !mine && !!caller?.agent_id && { group, icon: 'user', label: i18n._('Take it'), keys: 'T', run: take },
      open && { group, icon: 'users', label: i18n._('Assign or transfer'), keys: 'A', run: () => setAssigning(true) },
      open && { group, icon: 'check', label: i18n._('Close'), keys: 'E', run: startClose },
      !open && { group, icon: 'inbox', label: i18n._('Reopen'), run: () => void actions.reopen(i18n._('Reopen')) },
      c.status === 'open' && { group, icon: 'alarm', label: i18n._('Snooze'), keys: 'S', run: () => setAsking('snooze') },
      c.status === 'snoozed' && { group, icon: 'timeroff', label: i18n._('Unsnooze'), run: () => void actions.unsnooze(i18n._('Unsnooze')) },
      ...priorities.map(
        (p): Command | false =>
          p !== c.priority && { group, icon: 'flag', label: i18n._('Priority: {priority}', { priority: priorityName(p) }), run: () => void actions.prioritize(i18n._('Set the priority'), p) },
      ),
      { group, icon: 'eye', label: i18n._('Mark unread'), run: unread },
      { group, icon: 'zap', label: i18n._('Routing, explained'), run: () => setAsking('routing') },
      { group, icon: 'panel', label: i18n._('Contact details'), keys: 'D', run: onDetails },
    ];
    return list.filter((x) => x !== false);
  });
  return (
    <header className="chd">
      <Link className="ib bk" to="/inbox" search={true} aria-label={i18n._('Back to the list')} title={i18n._('Back to the list')}>
        <Icon name="left" flip />
      </Link>
      <button type="button" className="who row" onClick={onDetails} aria-expanded={details} title={i18n._('Contact')}>
        <Avatar id={c.contact.id} name={c.contact.name} />
        <span className="min-w-0">
          <b className="block t5 cut">
            <bdi>{c.contact.name || c.peer}</bdi>
          </b>
          <span className="block t2 dim cut">
            <ChannelGlyph type={c.channel.type} /> <bdi>{c.channel.name}</bdi> · {state(c)}
          </span>
        </span>
      </button>
      <span className="sp" />
      {c.status !== 'closed' && !c.assignee && caller?.agent_id && (
        <button type="button" className="btn lbl" onClick={take}>
          {i18n._('Take it')}
        </button>
      )}
      {c.status !== 'closed' && <Assign conversation={c} actions={actions} mine={mine} may={may('conversations.assign')} open={assigning} setOpen={setAssigning} />}
      {c.status === 'snoozed' ? (
        <button type="button" className="ib" aria-label={i18n._('Unsnooze')} title={i18n._('Unsnooze')} onClick={() => void actions.unsnooze(i18n._('Unsnooze'))}>
          <Icon name="timeroff" />
        </button>
      ) : (
        c.status === 'open' && (
          <IconMenu icon="alarm" label={i18n._('Snooze')} align="end">
            <MenuHead>{i18n._('Hide from Mine until')}</MenuHead>
            {snoozes(new Date()).map((s) => (
              <MenuItem key={s.name} onSelect={() => void snooze(s.until)} end={<span className="t2 faint">{soon(s.until)}</span>}>
                {s.name}
              </MenuItem>
            ))}
            <MenuItem icon="cal" onSelect={() => setAsking('snooze')}>
              {i18n._('Pick a time…')}
            </MenuItem>
          </IconMenu>
        )
      )}
      <IconMenu label={i18n._('More')} align="end">
        {c.bot_id && (
          <MenuItem icon="bot" onSelect={() => void actions.bot(i18n._('Switch the bot'), !c.bot_active)}>
            {c.bot_active ? i18n._('Turn the bot off') : i18n._('Turn the bot on')}
          </MenuItem>
        )}
        <SubMenu icon="flag" label={i18n._('Priority')} end={priorityName(c.priority)}>
          {priorities.map((p) => (
            <MenuChoice key={p} checked={c.priority === p} onSelect={() => void actions.prioritize(i18n._('Set the priority'), p)}>
              {priorityName(p)}
            </MenuChoice>
          ))}
        </SubMenu>
        <MenuItem icon="eye" onSelect={unread}>
          {i18n._('Mark unread')}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="zap" onSelect={() => setAsking('routing')}>
          {i18n._('Routing, explained')}
        </MenuItem>
        <MenuItem icon="panel" onSelect={onDetails}>
          {i18n._('Contact details')}
        </MenuItem>
      </IconMenu>
      {c.status === 'closed' ? (
        <button type="button" className="btn" onClick={() => void actions.reopen(i18n._('Reopen'))} title={i18n._('Reopen')}>
          <Icon name="inbox" />
          <span className="lbl">{i18n._('Reopen')}</span>
        </button>
      ) : (
        <button type="button" className="btn" onClick={startClose} title={i18n._('Close (E)')}>
          <Icon name="check" />
          <span className="lbl">{i18n._('Close')}</span>
        </button>
      )}
      <button type="button" className="ib pnl" aria-label={i18n._('Contact details')} title={i18n._('Contact details')} aria-expanded={details} onClick={onDetails}>
        <Icon name="panel" flip />
      </button>
      <Suspense>
        {asking === 'close' && <CloseDialog required={!!tenant?.close_note_required} onClose={() => setAsking(undefined)} onDone={(n) => void close(n)} />}
        {asking === 'routing' && <RoutingDialog conversation={c} onClose={() => setAsking(undefined)} />}
        {asking === 'snooze' && <SnoozeDialog onClose={() => setAsking(undefined)} onDone={(t) => void snooze(t)} />}
      </Suspense>
    </header>
  );
}

function state(c: Conversation): string {
  if (c.status === 'closed') return c.closed_at ? i18n._('closed {time}', { time: soon(c.closed_at) }) : i18n._('closed');
  if (c.status === 'snoozed' && c.snoozed_until) return i18n._('snoozed until {time}', { time: soon(c.snoozed_until) });
  if (c.standby) return i18n._('another app has it');
  if (c.bot_active) return i18n._('a bot holds it');
  if (!c.assignee) return i18n._('nobody holds it');
  return i18n._('opened {time}', { time: soon(c.opened_at) });
}
