import { useQuery } from '@tanstack/react-query';
import type { Conversation, Message, Schemas } from '../../api/client';
import { channel } from '../../api/queries';
import { milliseconds } from '../../parts/time';

/** What one kind of interactive message has; a kind has nothing but what it needs and takes. */
export interface InteractiveRule {
  needs?: string[];
  takes?: string[];
  /** kinds of choices; the first is that of a choice that names none */
  choices?: string[];
  /** kinds of files that are shown with the words: at their head or, of cards, one on each */
  header_media?: string[];
  /** its sections are cards side by side */
  cards?: boolean;
  max_items?: number;
  /** choices of one section */
  max_rows?: number;
  min_sections?: number;
  max_sections?: number;
  max_section_title?: number;
  max_section_text?: number;
  max_title?: number;
  max_description?: number;
  max_header?: number;
  max_footer?: number;
  /** of the words on the button that opens it */
  max_label?: number;
}

/** To which messages a channel does an action; empty: to those of every kind, at any time. */
export interface ActionRule {
  types?: string[];
  interactive?: string[];
  for?: string;
}

/** SendRules are what a channel takes, as GET /v1/channels/{id} has it in rules.send and rules.comments. */
export interface SendRules {
  types?: string[];
  interactive?: Record<string, InteractiveRule>;
  template?: { components: Record<string, string[]> };
  sticker_packages?: boolean;
  reply_to?: boolean;
  reactions?: boolean;
  actions?: Record<string, ActionRule>;
}

/** useRules are the rules of a conversation; undefined as long as they are not known. */
export function useRules(c: Pick<Conversation, 'kind' | 'channel'>): SendRules | undefined {
  const { data } = useQuery(channel(c.channel.id));
  return rulesOf(data?.rules, c.kind);
}

/** rulesOf are the rules of messages, and below a post those of comments, where a channel has such. */
export function rulesOf(rules: Pick<Schemas['ChannelRules'], 'send' | 'comments'> | undefined, kind: Conversation['kind']): SendRules | undefined {
  return ((kind === 'comments' && rules?.comments) || rules?.send) as SendRules | undefined;
}

export type ActionKind = 'edit' | 'unsend' | 'hide' | 'unhide' | 'private_reply';

/**
 * mayAct says whether an action can be done to a message now, as the server decides it: the channel does it to messages of that kind and
 * age, the provider has the message, and it is not being done already.
 */
export function mayAct(kind: ActionKind, m: Message, comment: boolean, rules: SendRules | undefined, now: number): boolean {
  const rule = rules?.actions?.[kind];
  if (!rule || m.deleted_at || m.external_ids.length === 0) return false;
  const doing = (k: string) => (m.actions ?? []).some((a) => a.kind === k && a.status === 'queued');
  if (doing('unsend') || (kind !== 'edit' && doing(kind))) return false;
  if (kind === 'edit' || kind === 'unsend') {
    if (m.direction !== 'outbound' || m.status === 'queued') return false;
    if (kind === 'edit' && !['accepted', 'sent', 'delivered', 'read'].includes(m.status ?? '')) return false;
  } else if (m.direction !== 'inbound' || !comment) {
    return false;
  }
  if (kind === 'hide' && m.hidden) return false;
  if (kind === 'unhide' && !m.hidden) return false;
  if (rule.types?.length && !rule.types.includes(m.type)) return false;
  const choice = (m.interactive as { kind?: string } | null | undefined)?.kind;
  if (choice && rule.interactive?.length && !rule.interactive.includes(choice)) return false;
  return !rule.for || now < Date.parse(m.created_at) + milliseconds(rule.for);
}
