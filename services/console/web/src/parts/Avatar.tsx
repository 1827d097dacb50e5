import type { ReactNode } from 'react';

/** Avatar shows the initials of a person, on a ground that follows from the id. */
export function Avatar({ id, name, size, title, children }: { id: string; name: string; size?: 'sm' | 'md' | 'lg'; title?: string; children?: ReactNode }) {
  return (
    <span className={`av a${ground(id)}${size ? ` ${size}` : ''}`} title={title}>
      <span aria-hidden="true" dir="ltr">
        {initials(name)}
      </span>
      {title && <span className="sr">{title}</span>}
      {children}
    </span>
  );
}

/** initials are the first letters of the first and the last word: "SR", "陈", "+1". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return '?';
  if (/^\+?\d/.test(first)) return first.slice(0, 2);
  const one = letter(first);
  if (words.length === 1 || !/^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(one)) return one;
  return one + letter(words[words.length - 1] ?? '');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function letter(word: string): string {
  const bare = word.replace(/^[^\p{L}\p{N}]+/u, '') || word;
  for (const { segment } of graphemes.segment(bare)) return segment.toUpperCase();
  return '?';
}

function ground(id: string): number {
  let h = 0;
  for (const c of id) h = (h * 31 + c.charCodeAt(0)) >>> 0;
  return (h % 7) + 1;
}
