import { i18n } from '../../locales/i18n';
import type { IconName } from '../../parts/Icon';
import { hostOf } from '../../parts/plain';
import { soon } from '../../parts/time';

/** Choice is something that can be picked, of the buttons and rows of an interactive message. */
export interface Choice {
  kind?: string | null;
  title?: string | null;
  description?: string | null;
  url?: string | null;
  phone?: string | null;
  location?: { latitude: number; longitude: number; name?: string; address?: string } | null;
  event?: { title: string; description?: string; start: string; end: string } | null;
}

/** choiceName says what a choice of a kind does. */
export function choiceName(kind: string): string {
  switch (kind) {
    case 'reply':
      return i18n._('answers');
    case 'url':
      return i18n._('opens a page');
    case 'web_app':
      return i18n._('opens an app');
    case 'text':
      return i18n._('writes its title');
    case 'contact_request':
      return i18n._('gives the phone number');
    case 'location_request':
      return i18n._('gives the place');
    case 'dial':
      return i18n._('calls a number');
    case 'location':
      return i18n._('shows a place');
    case 'calendar':
      return i18n._('goes to the calendar');
    default:
      return kind.replaceAll('_', ' ');
  }
}

const icons: Record<string, IconName> = { url: 'link', web_app: 'panel', contact_request: 'user', location_request: 'pin', dial: 'phone', location: 'map', calendar: 'cal' };

/** choiceIcon is the sign of what a choice does; one that only answers has none. */
export const choiceIcon = (c: Choice): IconName | undefined => icons[c.kind || (c.url ? 'url' : '')];

/** choiceDetail says where a choice leads: the site, the number, the place or the time. */
export function choiceDetail(c: Choice): string {
  const { location: l, event: e } = c;
  if (l) return l.name || l.address || `${l.latitude}, ${l.longitude}`;
  if (e) return i18n._('{what}, {start} to {end}', { what: e.title, start: soon(e.start), end: soon(e.end) });
  return c.phone || (c.url ? (hostOf(c.url) ?? c.url) : '');
}
