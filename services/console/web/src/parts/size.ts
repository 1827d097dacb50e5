import { i18n } from '../locales/i18n';

const formats = new Map<string, Intl.NumberFormat>();

/** format is made once for each language and unit: making one takes longer than all that is done with it on a page. */
function format(unit: string, digits: number): Intl.NumberFormat {
  const key = `${i18n.locale} ${unit}`;
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.NumberFormat(i18n.locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits })));
  return f;
}

/** size is a number of bytes as people read it: 1.8 MB. */
export function size(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  let n = bytes;
  let u = 0;
  while (n >= 1000 && u < units.length - 1) {
    n /= 1000;
    u += 1;
  }
  return format(units[u] ?? 'byte', u > 1 ? 1 : 0).format(n);
}

/** within is the size of a picture that fits into a square with this side, and is never larger than it is; undefined where its own is not known. */
export function within(side: number, width: number | undefined, height: number | undefined): { width: number; height: number } | undefined {
  if (!width || !height) return undefined;
  const by = Math.min(1, side / width, side / height);
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) };
}
