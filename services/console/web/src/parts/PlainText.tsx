import { useState } from 'react';
import { i18n } from '../locales/i18n';
import { hostOf, type Piece, pieces } from './plain';

// A longer text is folded: what is read all day are short ones.
const folded = 1_500;

/** PlainText shows what others wrote: as text, with its own direction, and never as anything that runs. */
export function PlainText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const long = text.length > folded * 1.2;
  const shown = long && !open ? `${text.slice(0, folded)}…` : text;
  return (
    <>
      <div className="txt" dir="auto">
        {pieces(shown).map(show)}
      </div>
      {long && (
        <button type="button" className="btn link t2" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? i18n._('Show less') : i18n._('Show all {n, number} characters', { n: text.length })}
        </button>
      )}
    </>
  );
}

function show(p: Piece, n: number) {
  switch (p.kind) {
    case 'text':
      return p.text;
    case 'control':
      return (
        <bdi key={n} className="mono faint" title={i18n._('A sign that is not shown, and may change the direction of text')}>
          ⟦{p.text}⟧
        </bdi>
      );
    case 'link':
      return (
        <bdi key={n}>
          <Outside url={p.href}>{p.text}</Outside>
        </bdi>
      );
  }
}

/** Outside is a link that others made: it names the host that it leads to, and is nothing where it may not be followed. Without words it is named by the host. */
export function Outside({ url, children }: { url: string | undefined; children?: string }) {
  const host = url && hostOf(url);
  if (!host) return null;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" title={i18n._('Leads to {host}', { host })}>
      {children ?? host}
    </a>
  );
}
