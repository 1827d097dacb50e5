import { i18n } from '../locales/i18n';

/** size is a number of bytes as people read it: 1.8 MB. */
export function size(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  let n = bytes;
  let u = 0;
  while (n >= 1000 && u < units.length - 1) {
    n /= 1000;
    u += 1;
  }
  return new Intl.NumberFormat(i18n.locale, { style: 'unit', unit: units[u] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: u > 1 ? 1 : 0 }).format(n);
}
