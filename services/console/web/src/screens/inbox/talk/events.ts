import type { TimelineEvent } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import type { IconName } from '../../../parts/Icon';
import { full, soon } from '../../../parts/time';

interface Told {
  icon: IconName;
  text: string;
  /** a line across the timeline, not one in it */
  opening?: boolean;
}

export interface Names {
  queue: (id: string) => string;
}

const priorities: Record<string, () => string> = {
  none: () => i18n._('none'),
  low: () => i18n._('low'),
  normal: () => i18n._('normal'),
  high: () => i18n._('high'),
  urgent: () => i18n._('urgent'),
};

/** told says what an event of a timeline was, and who did it. What is not known here is named as the API names it. */
export function told(e: TimelineEvent, names: Names): Told {
  const d = (e.data ?? {}) as Record<string, string | number | string[] | undefined>;
  const s = (key: string) => (typeof d[key] === 'string' ? (d[key] as string) : '');
  const by = actor(e.actor);
  switch (e.type) {
    case 'conversation_opened':
      return { icon: 'inbox', text: i18n._('Conversation opened by {by}', { by }), opening: true };
    case 'conversation_reopened':
      return { icon: 'inbox', text: i18n._('Conversation reopened by {by}', { by }), opening: true };
    case 'conversation_closed': {
      const note = [s('category'), s('summary')].filter(Boolean).join(': ');
      return { icon: 'check', text: note ? i18n._('Closed by {by}. {note}', { by, note }) : i18n._('Closed by {by}', { by }), opening: true };
    }
    case 'assigned':
      return { icon: 'user', text: i18n._('Assigned to {to} by {by}', { to: s('agent_name') || s('agent_id'), by }) };
    case 'queued':
      return { icon: 'users', text: i18n._('Put into the queue {queue} by {by}', { queue: names.queue(s('queue_id')), by }) };
    case 'unassigned':
      return { icon: 'user', text: i18n._('Unassigned by {by}', { by }) };
    case 'bot_on':
      return { icon: 'bot', text: i18n._('Bot turned on by {by}', { by }) };
    case 'bot_off':
      return { icon: 'bot', text: i18n._('Bot turned off by {by}', { by }) };
    case 'snoozed':
      return { icon: 'alarm', text: s('until') ? i18n._('Snoozed until {time} by {by}', { time: soon(s('until')), by }) : i18n._('Snoozed by {by}', { by }) };
    case 'unsnoozed':
      return { icon: 'timeroff', text: i18n._('Unsnoozed by {by}', { by }) };
    case 'priority_changed':
      return { icon: 'flag', text: i18n._('Priority set to {priority} by {by}', { priority: priorities[s('priority')]?.() ?? s('priority'), by }) };
    case 'tags_changed':
      return { icon: 'tag', text: i18n._('Tags changed to {tags} by {by}', { tags: Array.isArray(d['tags']) ? d['tags'].join(', ') || '–' : s('tags') || '–', by }) };
    case 'message_edited':
      return { icon: 'edit', text: i18n._('Message changed by {by}', { by }) };
    case 'message_unsent':
      return { icon: 'trash', text: i18n._('Message taken back by {by}', { by }) };
    case 'message_hidden':
      return { icon: 'eyeoff', text: i18n._('Comment hidden by {by}', { by }) };
    case 'message_unhidden':
      return { icon: 'eye', text: i18n._('Comment shown again by {by}', { by }) };
    case 'private_reply_sent':
      return { icon: 'lock', text: i18n._('Comment answered privately by {by}', { by }) };
    case 'action_failed':
      return { icon: 'alert', text: i18n._('What {by} did to a message was not done by the channel', { by }) };
    case 'contact_blocked':
      return { icon: 'shield', text: i18n._('Contact blocked by {by}', { by }) };
    case 'contact_unblocked':
      return { icon: 'shield', text: i18n._('Contact unblocked by {by}', { by }) };
    case 'referred':
      return { icon: 'link', text: i18n._('Came by {what}', { what: cameBy(e.reference) }) };
    case 'followed':
      return { icon: 'user', text: i18n._('The contact follows the account') };
    case 'unfollowed':
      return { icon: 'user', text: i18n._('The contact no longer follows the account') };
    case 'joined':
      return { icon: 'users', text: i18n._('The account was added to the group') };
    case 'left':
      return { icon: 'users', text: i18n._('The account was taken out of the group') };
    case 'blocked':
      return { icon: 'shield', text: i18n._('The contact has blocked the account') };
    case 'unblocked':
      return { icon: 'shield', text: i18n._('The contact no longer blocks the account') };
    case 'consent_changed':
      return { icon: 'bell', text: s('value') === 'out' ? i18n._('The contact wants no {what} messages', { what: s('category') }) : i18n._('The contact agrees to {what} messages', { what: s('category') }) };
    case 'identity_changed':
      return { icon: 'key', text: i18n._('The contact has another number or id') };
    case 'thread_control':
      return { icon: 'swap', text: (d['standby'] as unknown) === true ? i18n._('Another app was given the conversation') : i18n._('The conversation was given back by another app') };
    case 'page_changed':
      return { icon: 'globe', text: i18n._('Opened the page {page}', { page: s('url') || s('title') }) };
    default:
      return { icon: 'info', text: i18n._('{what} by {by}', { what: e.type.replaceAll('_', ' '), by }) };
  }
}

/** cameBy is what led somebody here. */
function cameBy(reference: TimelineEvent['reference']): string {
  const r = (reference ?? {}) as Record<string, string | undefined>;
  return r['headline'] || r['code'] || r['source'] || r['url'] || i18n._('a link');
}

function actor(a: TimelineEvent['actor']): string {
  switch (a.kind) {
    case 'contact':
      return i18n._('the contact');
    case 'automation':
      return i18n._('automation');
    case 'bot':
      return a.name ? i18n._('bot {name}', { name: a.name }) : i18n._('a bot');
    case 'system':
      return i18n._('the system');
    case 'broadcast':
      return i18n._('a broadcast');
    case 'api':
      return a.name ? i18n._('{name} (API)', { name: a.name }) : i18n._('the API');
    default:
      return a.name || i18n._('a user');
  }
}

export const eventTitle = (e: TimelineEvent) => full(e.at);
