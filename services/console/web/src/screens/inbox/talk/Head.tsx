import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Conversation } from '../../../api/client';
import { me, settings } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { Menu, MenuChoice, MenuHead, MenuItem, MenuLine, SubMenu } from '../../../parts/Menu';
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
  useKeys({ t: take, e: () => c.status !== 'closed' && startClose(), s: () => c.status !== 'closed' && setAsking('snooze'), d: onDetails });

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
      {c.status !== 'closed' && <Assign conversation={c} actions={actions} mine={mine} may={may('conversations.assign')} />}
      {c.status === 'snoozed' ? (
        <button type="button" className="ib" aria-label={i18n._('Unsnooze')} title={i18n._('Unsnooze')} onClick={() => void actions.unsnooze(i18n._('Unsnooze'))}>
          <Icon name="timeroff" />
        </button>
      ) : (
        c.status === 'open' && (
          <Menu
            label={i18n._('Snooze')}
            align="end"
            button={
              <button type="button" className="ib" aria-label={i18n._('Snooze')} title={i18n._('Snooze')}>
                <Icon name="alarm" />
              </button>
            }
          >
            <MenuHead>{i18n._('Hide from Mine until')}</MenuHead>
            {snoozes(new Date()).map((s) => (
              <MenuItem key={s.name} onSelect={() => void snooze(s.until)} end={<span className="t2 faint">{soon(s.until)}</span>}>
                {s.name}
              </MenuItem>
            ))}
            <MenuItem icon="cal" onSelect={() => setAsking('snooze')}>
              {i18n._('Pick a time…')}
            </MenuItem>
          </Menu>
        )
      )}
      <Menu
        label={i18n._('More')}
        align="end"
        button={
          <button type="button" className="ib" aria-label={i18n._('More')} title={i18n._('More')}>
            <Icon name="more" />
          </button>
        }
      >
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
        <MenuItem
          icon="eye"
          onSelect={() => {
            void actions.unread(i18n._('Mark unread')).then((done) => done && void navigate({ to: '/inbox', search: true }));
          }}
        >
          {i18n._('Mark unread')}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="zap" onSelect={() => setAsking('routing')}>
          {i18n._('Routing, explained')}
        </MenuItem>
        <MenuItem icon="panel" onSelect={onDetails}>
          {i18n._('Contact details')}
        </MenuItem>
      </Menu>
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
  if (c.bot_active) return i18n._('a bot holds it');
  if (!c.assignee) return i18n._('nobody holds it');
  return i18n._('opened {time}', { time: soon(c.opened_at) });
}
