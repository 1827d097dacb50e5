import { i18n } from '../../../locales/i18n';

/** snoozes are the usual times: an hour from now, this afternoon, tomorrow morning, Monday. */
export function snoozes(now: Date): { name: string; until: Date }[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const monday = (8 - now.getDay()) % 7 || 7;
  return [
    { name: i18n._('In 1 hour'), until: new Date(now.getTime() + 3_600_000) },
    ...(now.getHours() < 14 ? [{ name: i18n._('This afternoon'), until: at(0, 15) }] : []),
    { name: i18n._('Tomorrow'), until: at(1, 9) },
    ...(monday > 1 ? [{ name: i18n._('Monday'), until: at(monday, 9) }] : []),
  ];
}

/** local is a time as an input of the browser takes it. */
export function local(d: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}
