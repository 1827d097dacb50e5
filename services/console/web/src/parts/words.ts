import { faultOf } from '../api/fault';
import { i18n } from '../locales/i18n';

/** worded says in plain words what a failed call means, and what can be done. The API's own words follow where they say more. */
export function worded(error: unknown): string {
  const f = faultOf(error);
  switch (f.code) {
    case 'offline':
      return i18n._('The server cannot be reached. What you typed is kept.');
    case 'unauthenticated':
      return i18n._('Your session has ended. Sign in again; what you typed is kept.');
    case 'forbidden':
      return i18n._('Your role does not allow this: {detail}.', { detail: f.message });
    case 'not_found':
      return i18n._('This is gone, or you may not see it any more.');
    case 'version_mismatch':
      return i18n._('Somebody changed this while you looked at it.');
    case 'held_by_another':
      return i18n._('Somebody else holds this conversation.');
    case 'conversation_closed':
      return i18n._('This conversation is closed.');
    case 'conversation_open':
      return i18n._('This person has another open conversation on this channel.');
    case 'recipient_blocked':
      return i18n._('This contact is blocked.');
    case 'recipient_unreachable':
      return i18n._('This person cannot be reached on this channel until they write again.');
    case 'rate_limited':
      return i18n._('Too many requests at once. It goes on by itself in a moment.');
  }
  if (f.status === 503) return i18n._('A part of the server is away. It is tried again.');
  if (f.status >= 500) return i18n._('Something went wrong on the server.');
  const fields = f.problem.errors?.map((e) => e.detail).filter(Boolean);
  return sentence(fields?.length ? fields.join('; ') : f.message);
}

/** sentence gives words of the API a capital and a full stop. */
export function sentence(text: string): string {
  const t = text.trim();
  if (!t) return t;
  return t[0]?.toUpperCase() + t.slice(1) + (/[.!?…]$/.test(t) ? '' : '.');
}
