import { i18n } from '../locales/i18n';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = i18n.locale + JSON.stringify(options);
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(i18n.locale === 'en' ? 'en-GB' : i18n.locale, options)));
  return f;
}

/** clock is the time of the day: 10:42. */
export const clock = (at: string | Date) => format({ hour: '2-digit', minute: '2-digit' }).format(new Date(at));

/** exact is the time of the day to the millisecond, as statuses are told apart by it. */
export const exact = (at: string) => format({ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 }).format(new Date(at));

/** full is day and time, for titles. */
export const full = (at: string) => format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(at));

/** day is the line between the messages of two days. */
export function day(at: string, now = new Date()): string {
  const ago = daysAgo(at, now);
  if (ago === 0) return i18n._('Today');
  if (ago === 1) return i18n._('Yesterday');
  const d = new Date(at);
  return format({ weekday: 'long', day: 'numeric', month: 'long', ...(d.getFullYear() !== now.getFullYear() && { year: 'numeric' }) }).format(d);
}

/** short is how a row says when: 10:42, Yesterday, 27 Nov, 27 Nov 2025. */
export function short(at: string, now = new Date()): string {
  const ago = daysAgo(at, now);
  if (ago <= 0) return clock(at);
  if (ago === 1) return i18n._('Yesterday');
  const d = new Date(at);
  return format({ day: 'numeric', month: 'short', ...(d.getFullYear() !== now.getFullYear() && { year: 'numeric' }) }).format(d);
}

/** soon is a time ahead: 15:00, Tue 09:00, 4 Dec 09:00. */
export function soon(at: string | Date, now = new Date()): string {
  const d = new Date(at);
  const ahead = -daysAgo(d.toISOString(), now);
  if (ahead === 0) return clock(d);
  return format({ ...(ahead < 7 ? { weekday: 'short' } : { day: 'numeric', month: 'short' }), hour: '2-digit', minute: '2-digit' }).format(d);
}

/** span is how long: 23 h 59 min, 38 min, 40 s. */
export function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return i18n._('{n} s', { n: Math.max(0, Math.ceil(ms / 1000)) });
  if (minutes < 60) return i18n._('{n} min', { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return i18n._('{h} h {m} min', { h: hours, m: minutes % 60 });
  return i18n._('{n, plural, one {# day} other {# days}}', { n: Math.floor(hours / 24) });
}

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** milliseconds reads a duration as the API writes it: 48h0m0s. */
export function milliseconds(text: string): number {
  return [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0);
}

/** daysAgo counts midnights between a time and now, in the reader's time zone. */
export function daysAgo(at: string, now: Date): number {
  const d = new Date(at);
  const midnight = (x: Date) => Date.UTC(x.getFullYear(), x.getMonth(), x.getDate());
  return Math.round((midnight(now) - midnight(d)) / 86_400_000);
}
