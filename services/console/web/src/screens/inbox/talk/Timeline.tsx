import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment, type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Conversation, Message, TimelineItem } from '../../../api/client';
import { contactConversations, queues } from '../../../api/queries';
import { useTypist } from '../../../live/live';
import { usePending } from '../../../live/outbox';
import { hasOlder, older, recent, type Timeline as Shown, timeline, timelineKey, withEnd } from '../../../live/timeline';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { Trouble } from '../../../parts/Note';
import { clock, day, daysAgo } from '../../../parts/time';
import { toast } from '../../../parts/toast';
import { worded } from '../../../parts/words';
import { useKeys } from '../keys';
import { kindOf } from '../kinds';
import { useRules } from '../rules';
import { Chunk, runs } from './Chunk';
import { MessageRow } from './MessageRow';
import { PendingRow } from './PendingRow';
import { eventTitle, told } from './events';
import { useEnd } from './useEnd';
import { useWaiting } from './waiting';

// A quoted message that is further up is looked for in so many windows.
const windowsBack = 40;

/** Timeline is everything that was said and that happened, newest last. It stays where it is read; older items come in above. */
export function Timeline({ conversation: c, onReply }: { conversation: Conversation; onReply: (m: Message) => void }) {
  const cache = useQueryClient();
  const { data: shown, error, isPending, refetch } = useQuery(timeline(c.id));
  const pending = usePending(c.id);
  const typist = useTypist(c.id);
  const rules = useRules(c);
  const scroller = useRef<HTMLDivElement>(null);
  const [loading, setLoading] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [seen, setSeen] = useState(0);
  const [current, setCurrent] = useState<string>();
  const [goal, setGoal] = useState<string>();
  const { away, look, follow, toEnd } = useEnd(scroller, shown !== undefined);
  const anchor = useRef<{ first: string; fromEnd: number }>(undefined);
  const loads = useRef<Promise<boolean>>(undefined);
  useEffect(() => () => void cache.setQueryData<Shown>(timelineKey(c.id), (t) => t && recent(t)), [cache, c.id]);

  const items = useMemo(() => shown?.stretches.flatMap((s) => s.items) ?? [], [shown]);
  const parts = useMemo(() => runs(shown?.stretches ?? []), [shown]);
  const messages = useMemo(() => new Map(items.flatMap((i) => (i.message ? [[i.message.id, i.message] as const] : []))), [items]);
  // What messages need to know of their conversation: the same as long as that is.
  const about = useMemo(() => ({ id: c.id, kind: c.kind, status: c.status, contact: c.contact, channel: c.channel }), [c.id, c.kind, c.status, c.contact, c.channel]);
  const last = items.at(-1)?.position;
  const waiting = useWaiting(pending, shown && items);
  const tabStop = current !== undefined && messages.has(current) ? current : items.findLast((i) => i.message)?.message?.id;
  const { data: talks } = useQuery(contactConversations(c.contact.id));
  const earliest = !!talks && !talks.has_more && talks.data.at(-1)?.id === c.id;
  // Where the unread ones began stays marked, although they are read by being looked at.
  const [firstUnread, setFirstUnread] = useState<string>();
  const unread = firstUnread ?? unreadFrom(items, c.unread_count)?.position;
  if (unread !== firstUnread) setFirstUnread(unread);
  // What comes in while somebody reads further up is counted.
  const [left, setLeft] = useState(false);
  if (left !== away) {
    setLeft(away);
    if (away) setSeen(Number(last ?? 0));
  }

  // What is read stays where it is: at the end new items come into sight, elsewhere nothing moves.
  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el) return;
    if (anchor.current && anchor.current.first !== placeOf(items[0])) {
      el.scrollTop = el.scrollHeight - anchor.current.fromEnd;
      anchor.current = undefined;
    } else {
      follow();
    }
  }, [items, waiting.length, typist, follow]);

  /** load reads what is further up, once at a time; false: there is nothing. */
  const load = useCallback((): Promise<boolean> => {
    const read = async () => {
      setLoading(true);
      setFault(undefined);
      try {
        const now = cache.getQueryData<Shown>(timelineKey(c.id));
        if (!now || !hasOlder(now)) return false;
        const more = await older(now, c.contact.id);
        const el = scroller.current;
        if (el) anchor.current = { first: placeOf(now.stretches.find((s) => s.items.length > 0)?.items[0]), fromEnd: el.scrollHeight - el.scrollTop };
        cache.setQueryData<Shown>(timelineKey(c.id), (latest) => (latest ? withEnd(more, latest) : more));
        return true;
      } catch (e) {
        setFault(e);
        throw e;
      } finally {
        setLoading(false);
      }
    };
    return (loads.current ??= read().finally(() => (loads.current = undefined)));
  }, [cache, c.id, c.contact.id]);

  const there = useCallback((id: string) => cache.getQueryData<Shown>(timelineKey(c.id))?.stretches.some((s) => s.items.some((i) => i.message?.id === id)) ?? false, [cache, c.id]);
  /** reveal goes to a message; one that is further up is loaded first. */
  const reveal = useCallback(
    async (id: string) => {
      try {
        for (let n = 0; !there(id); n += 1) {
          if (n < windowsBack && (await load())) continue;
          toast('info', i18n._('The quoted message is not here.'));
          return;
        }
        setGoal(id);
      } catch (e) {
        toast('alert', worded(e));
      }
    },
    [there, load],
  );
  useLayoutEffect(() => {
    if (goal === undefined) return;
    const el = document.getElementById(goal);
    if (!el) {
      // What was loaded may have been let go again behind a gap of the stream; else it is drawn in a moment.
      if (!there(goal)) setGoal(undefined);
      return;
    }
    el.scrollIntoView({ block: 'center' });
    el.focus({ preventScroll: true });
    look();
    setGoal(undefined);
  }, [goal, items, there, look]);

  const step = (by: 1 | -1 | 'first' | 'last') => {
    const all = [...(scroller.current?.querySelectorAll<HTMLElement>('.m[id]') ?? [])];
    const at = all.findIndex((m) => m.id === tabStop);
    const to = by === 'first' ? all[0] : by === 'last' ? all.at(-1) : all.some((m) => m === document.activeElement) ? all[at + by] : all[at];
    to?.focus();
    to?.scrollIntoView({ block: 'nearest' });
  };
  useKeys({ '[': () => step(-1), ']': () => step(1) });
  const onKeyDown = (e: KeyboardEvent) => {
    if (!(e.target as Element).matches('.m')) return;
    const by = ({ ArrowUp: -1, ArrowDown: 1, Home: 'first', End: 'last' } as const)[e.key];
    if (by === undefined) return;
    e.preventDefault();
    step(by);
  };

  if (isPending) return <Skeletons />;
  if (error && !shown) return <Trouble error={error} again={() => void refetch()} />;
  const names = { queue: (id: string) => cache.getQueryData<{ id: string; name: string }[]>(queues.queryKey)?.find((q) => q.id === id)?.name ?? id };
  const fresh = away ? items.filter((i) => Number(i.position) > seen && i.message?.conversation_id === c.id).length : 0;
  return (
    <div className="tlbox">
      <div
        className="scroll"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={i18n._('Messages with {name}', { name: c.contact.name })}
        onKeyDown={onKeyDown}
        onScroll={look}
      >
        <div className="tl">
          {shown && hasOlder(shown) && !(earliest && shown.stretches[0]?.older === null) ? (
            <button type="button" className="btn s self-center" onClick={() => void load().catch(() => undefined)} aria-disabled={loading}>
              <Icon name="history" small />
              {loading ? i18n._('Loading…') : i18n._('Load older dialogs')}
            </button>
          ) : (
            <p className="day">{i18n._('This is where it began.')}</p>
          )}
          {fault !== undefined && (
            <p className="day er" role="alert">
              {worded(fault)}
            </p>
          )}
          {parts.map((part, k) => (
            <Chunk key={part.key} root={scroller} pinned={k === parts.length - 1 || (goal !== undefined && part.items.some((i) => i.message?.id === goal))}>
              {() =>
                part.items.map((item, n) => {
                  const before = n === 0 ? part.before : part.items[n - 1];
                  const at = timeOf(item);
                  const m = item.message;
                  return (
                    <Fragment key={(m ?? item.event)?.id ?? item.position}>
                      {(!before || daysAgo(timeOf(before), new Date(at)) !== 0) && <div className="day">{day(at)}</div>}
                      {item.position === firstUnread && m?.conversation_id === c.id && (
                        <div className="unreadline" role="separator">
                          <span>{i18n._('New')}</span>
                        </div>
                      )}
                      {m && (
                        <MessageRow
                          message={m}
                          conversation={about}
                          rules={rules}
                          follows={follows(before, item)}
                          quoted={m.reply_to?.message_id ? messages.get(m.reply_to.message_id) : undefined}
                          tabStop={m.id === tabStop}
                          onFocus={setCurrent}
                          onReply={onReply}
                          onReveal={reveal}
                        />
                      )}
                      {item.event && <EventRow item={item} names={names} />}
                    </Fragment>
                  );
                })
              }
            </Chunk>
          ))}
          {waiting.map((p) => (
            <PendingRow key={p.key} pending={p} conversation={c} />
          ))}
          {typist && (
            <div className="typing" role="status">
              <i />
              <i />
              <i />
              {typist.kind === 'contact' ? i18n._('{name} is typing', { name: typist.name || c.contact.name }) : i18n._('{name} is replying', { name: typist.name })}
            </div>
          )}
        </div>
      </div>
      {away && (
        <button type="button" className="btn s toend" onClick={toEnd}>
          {fresh > 0 ? i18n._('{n, plural, one {# new} other {# new}}', { n: fresh }) : i18n._('Latest')}
          <Icon name="down" small />
        </button>
      )}
      <Announcer items={items} name={c.contact.name} />
    </div>
  );
}

function EventRow({ item, names }: { item: TimelineItem; names: Parameters<typeof told>[1] }) {
  if (!item.event) return null;
  const t = told(item.event, names);
  return (
    <div className={`ev${t.opening ? ' opn' : ''}`}>
      <Icon name={t.icon} small />
      <span>
        <bdi>{t.text}</bdi>{' '}
        <time dateTime={item.event.at} title={eventTitle(item.event)}>
          {clock(item.event.at)}
        </time>
      </span>
    </div>
  );
}

/** Announcer tells screen readers what comes in, and not what was loaded. */
function Announcer({ items, name }: { items: TimelineItem[]; name: string }) {
  const end = items.at(-1);
  const first = useRef(end?.position);
  const fresh = end?.message && end.position !== first.current && end.message.direction === 'inbound' ? end.message : undefined;
  return (
    <div className="sr" role="status">
      {fresh && `${name}: ${fresh.text?.slice(0, 200) || kindOf(fresh.type)}`}
    </div>
  );
}

function Skeletons() {
  return (
    <div className="scroll" aria-busy="true" aria-label={i18n._('Loading')}>
      <div className="tl" aria-hidden="true">
        <span className="sk h-10 w-2/5" />
        <span className="sk mt-3 h-10 w-1/3" />
        <span className="sk mt-3 h-16 w-1/2 self-end" />
        <span className="sk mt-3 h-10 w-1/4" />
      </div>
    </div>
  );
}

/** placeOf tells an item from all others. */
const placeOf = (i: TimelineItem | undefined) => i?.message?.id ?? i?.event?.id ?? '';

const timeOf = (i: TimelineItem) => i.message?.created_at ?? i.event?.at ?? '';

// A message follows the one before if the same side wrote it within this time.
const together = 5 * 60_000;

function follows(before: TimelineItem | undefined, item: TimelineItem): boolean {
  const a = before?.message;
  const b = item.message;
  return !!a && !!b && a.direction === b.direction && a.sender.id === b.sender.id && a.sender.author === b.sender.author && a.direction !== 'note' && Date.parse(b.created_at) - Date.parse(a.created_at) < together;
}

function unreadFrom(items: TimelineItem[], count: number): TimelineItem | undefined {
  let left = count;
  for (let n = items.length - 1; n >= 0 && left > 0; n--) {
    if (items[n]?.message?.direction === 'inbound' && --left === 0) return items[n];
  }
  return undefined;
}
