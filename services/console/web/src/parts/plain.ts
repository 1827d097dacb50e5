/** Piece is a part of a text that others wrote, as it may be shown. */
export type Piece = { kind: 'text'; text: string } | { kind: 'link'; text: string; href: string; host: string } | { kind: 'control'; text: string };

// What turns the direction of text around, or hides in it, is shown by its number.
const controls = /[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;
const allControls = new RegExp(controls, 'gu');
const links = /\bhttps?:\/\/[^\s<>"'\u202a-\u202e\u2066-\u2069]+/giu;
// What usually ends the sentence around a link is not a part of it.
const trailing = /[.,;:!?)\]}'"…]+$/u;

/**
 * pieces takes a text apart. Nothing of it is ever markup; only http and https become links, which name the host that they really
 * lead to.
 */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(links)) {
    const whole = match[0].replace(trailing, '');
    const host = hostOf(whole);
    if (!host) continue;
    plain(text.slice(at, match.index), out);
    out.push({ kind: 'link', text: whole, href: whole, host });
    at = match.index + whole.length;
  }
  plain(text.slice(at), out);
  return out;
}

/** hostOf is where a link leads; undefined: it is none that may be followed, which are http and https. */
export function hostOf(link: string): string | undefined {
  try {
    const url = new URL(link);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.host : undefined;
  } catch {
    return undefined;
  }
}

function plain(text: string, out: Piece[]): void {
  let run = '';
  for (const c of text) {
    if (!controls.test(c)) {
      run += c;
      continue;
    }
    if (run) out.push({ kind: 'text', text: run });
    run = '';
    out.push({ kind: 'control', text: `U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}` });
  }
  if (run) out.push({ kind: 'text', text: run });
}

/** oneLine is a text as a row of a list shows it. */
export function oneLine(text: string, most = 200): string {
  return text.slice(0, most * 2).replace(allControls, '').replace(/\s+/g, ' ').trim().slice(0, most);
}
