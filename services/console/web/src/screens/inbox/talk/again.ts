import type { Draft, Part } from '../../../live/drafts';
import type { Pending } from '../../../live/outbox';

/** again is a draft with everything that a message had which was not sent, in front of what was written since. */
export function again(p: Pick<Pending, 'input' | 'files'>, d: Draft): Partial<Draft> {
  const both = (a: string | undefined, b: string) => [a, b].filter(Boolean).join('\n');
  if (p.input.direction === 'note') return { mode: 'note', note: both(p.input.text, d.note) };
  const files = p.files.map((f) => ({ key: f.id, id: f.id, name: f.name, type: f.type, size: f.size, progress: 1 }));
  return {
    mode: 'reply',
    reply: both(p.input.text, d.reply),
    files: [...files, ...d.files],
    part: partOf(p.input) ?? d.part,
    tag: p.input.message_tag ?? d.tag,
    asLink: p.input.as_link || d.asLink,
  };
}

/** partOf is what a message has besides text and files. */
export function partOf(input: Pending['input']): Part | undefined {
  const { location, contacts, interactive, template, sticker } = input;
  if (location) return { location };
  if (contacts) return { contacts };
  if (interactive) return { interactive };
  if (template) return { template };
  if (sticker) return { sticker };
  return undefined;
}
