import type { Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import type { IconName } from '../../../parts/Icon';
import { sentence } from '../../../parts/words';

/** statusIcon is the mark of a status: its shape says it, its colour repeats it, its word is for screen readers. */
export function statusIcon(status: string): IconName {
  switch (status) {
    case 'sent':
      return 'check';
    case 'delivered':
    case 'read':
      return 'check2';
    case 'failed':
      return 'alert';
    case 'unknown':
      return 'help';
    default:
      return 'clock';
  }
}

export function statusName(status: string): string {
  switch (status) {
    case 'queued':
      return i18n._('Queued');
    case 'accepted':
      return i18n._('Accepted');
    case 'sent':
      return i18n._('Sent');
    case 'delivered':
      return i18n._('Delivered');
    case 'read':
      return i18n._('Read');
    case 'failed':
      return i18n._('Failed');
    case 'unknown':
      return i18n._('Unknown');
    default:
      return status;
  }
}

export interface StatusError {
  code?: string;
  provider_code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
}

/** lastError is why the last attempt did not arrive, or why that is not known. */
export function lastError(m: Message): StatusError | undefined {
  return m.statuses.findLast((s) => s.error)?.error as StatusError | undefined;
}

/** reason is what the channel says of an error, in its own words where it has some, with its code. */
export function reason(e: StatusError): string {
  const words = sentence(e.detail || e.title || e.code || '');
  return e.provider_code ? `${words.replace(/\.$/, '')} (${e.provider_code}).` : words;
}

/** sentVia names where a message was sent from. */
export function sentVia(m: Message): string {
  const label = m.sent_via.label;
  const name: Record<string, string> = {
    user: i18n._('User, console'),
    api: i18n._('API'),
    automation: i18n._('Automation'),
    bot: i18n._('Bot'),
    ai_agent: i18n._('AI agent'),
    survey: i18n._('Survey'),
    away_message: i18n._('Away message'),
    greeting: i18n._('Greeting'),
    offline_prompt: i18n._('Offline prompt'),
    broadcast: i18n._('Broadcast'),
    scheduled: i18n._('Scheduled'),
    native_inbox: i18n._('The channel’s own inbox'),
    echo: i18n._('The channel’s own app'),
    message_tag: i18n._('Message tag'),
    channel: i18n._('The channel'),
  };
  const kind = name[m.sent_via.kind] ?? m.sent_via.kind;
  return label ? `${kind} (${label})` : kind;
}
