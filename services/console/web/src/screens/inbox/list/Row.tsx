import { memo, type MouseEvent, type ReactNode } from 'react';
import type { Conversation } from '../../../api/client';
import { useDraft } from '../../../live/drafts';
import { useTypist } from '../../../live/live';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { Badge } from '../../../parts/Badge';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { oneLine } from '../../../parts/plain';
import { full, short, soon } from '../../../parts/time';
import { kindOf } from '../kinds';

interface Props {
  conversation: Conversation;
  /** the name of the queue in which it waits */
  queue: string | undefined;
  href: string;
  /** it is the one that is open */
  selected: boolean;
  tabIndex: number;
  onOpen: (id: string) => void;
  onFocus: (id: string) => void;
  onMove: (from: string, by: number) => void;
}

// A click that asks for another tab or window, or to save, is the browser's.
const plain = (e: MouseEvent) => e.button === 0 && !e.metaKey && !e.ctrlKey && !e.altKey && !e.shiftKey;

/**
 * Row is one conversation in the list: who, how much is unread, the last message and which way it went, channel and holder. While
 * somebody scrolls, ten of them are made in a frame: so it asks nobody what the list can tell it, and is a plain link, while each of the
 * router's works out its address and listens to every change of place.
 */
export const Row = memo(function Row({ conversation: c, queue, href, selected, tabIndex, onOpen, onFocus, onMove }: Props) {
  const last = c.last_message;
  const incoming = last?.direction === 'inbound';
  const at = last?.at ?? c.opened_at;
  return (
    <a
      id={c.id}
      href={href}
      className={`crow${c.unread_count > 0 ? ' unread' : ''}`}
      tabIndex={tabIndex}
      aria-current={selected ? 'page' : undefined}
      draggable={false}
      onClick={(e) => {
        if (!plain(e)) return;
        e.preventDefault();
        onOpen(c.id);
      }}
      onFocus={() => onFocus(c.id)}
      onKeyDown={(e) => {
        const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity }[e.key];
        if (by === undefined) return;
        e.preventDefault();
        onMove(c.id, by);
      }}
    >
      <Avatar id={c.contact.id} name={c.contact.name}>
        {c.status === 'closed' && (
          <span className="done" title={i18n._('No open conversation')}>
            <Icon name="check" />
            <span className="sr">{i18n._('No open conversation')}</span>
          </span>
        )}
      </Avatar>
      <span className="l1">
        <bdi className="nm cut">{oneLine(c.contact.name) || c.peer}</bdi>
        <Badge square colour="blue" count={c.unread_count} words={i18n._('{n} unread', { n: c.unread_count })} />
        <time className="tm" dateTime={at} title={full(at)}>
          {short(at)}
        </time>
      </span>
      <span className="l2">
        {last && (
          <span className={`ar${incoming ? ' i' : ''}`} title={incoming ? i18n._('incoming') : i18n._('outgoing')}>
            <Icon name={incoming ? 'in' : 'out'} small flip />
            <span className="sr">{incoming ? i18n._('incoming') : i18n._('outgoing')}</span>
          </span>
        )}
        <span className="pv cut" dir="auto">
          {last ? oneLine(last.text) || `[${kindOf(last.type)}]` : ''}
        </span>
      </span>
      <span className="l3">
        <span className="mt cut">
          <State c={c} queue={queue} />
        </span>
        <ChannelGlyph type={c.channel.type} name={c.channel.name} />
        {c.assignee && <Avatar id={c.assignee.id} name={c.assignee.name} size="sm" title={i18n._('assigned to {name}', { name: c.assignee.name })} />}
        {c.bot_active && (
          <span title={i18n._('A bot holds it')}>
            <Icon name="bot" small />
          </span>
        )}
      </span>
    </a>
  );
});

/** State is the one thing about a conversation that matters most right now. */
function State({ c, queue }: { c: Conversation; queue: string | undefined }): ReactNode {
  const draft = useDraft(c.id);
  const typist = useTypist(c.id);
  const text = draft.reply || draft.note;
  if (text) {
    return (
      <>
        <span className="draft">{i18n._('Draft')}</span> <bdi>{oneLine(text, 60)}</bdi>
      </>
    );
  }
  if (typist) return typist.kind === 'contact' ? i18n._('is typing') : i18n._('{name} is replying', { name: typist.name });
  if (c.last_message?.status === 'failed') return <span className="er">{i18n._('Not delivered')}</span>;
  if (c.last_message?.status === 'unknown') return <span className="wn">{i18n._('Delivery unknown')}</span>;
  if (c.status === 'snoozed' && c.snoozed_until) return i18n._('Snoozed until {time}', { time: soon(c.snoozed_until) });
  if (c.status === 'open' && c.window.state === 'expired') return <span className="wn">{i18n._('Window closed')}</span>;
  if (c.status === 'open' && c.window.state === 'expiring' && c.window.expires_at) return <span className="wn">{i18n._('Window closes {time}', { time: soon(c.window.expires_at) })}</span>;
  if (c.standby) return i18n._('Another app has it');
  if (c.priority === 'urgent') return <span className="er">{i18n._('Urgent')}</span>;
  if (c.priority === 'high') return <span className="wn">{i18n._('High priority')}</span>;
  if (queue) return <bdi>{i18n._('Queue {name}', { name: queue })}</bdi>;
  return <bdi>{c.channel.name}</bdi>;
}
