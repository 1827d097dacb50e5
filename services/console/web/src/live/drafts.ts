import { useSyncExternalStore } from 'react';
import type { MessageInput } from '../api/client';
import { keep, kept, onForget } from './keep';

/** DraftFile is something attached to a draft: being uploaded, uploaded, or refused. */
export interface DraftFile {
  key: string;
  name: string;
  size: number;
  type: string;
  /** 0 to 1 */
  progress: number;
  id?: string;
  preview?: string;
  /** what it is by its bytes, where that is another kind of file than was said */
  really?: string;
  error?: string;
}

/** Part is what a message has besides text and files: a place, a card, something to choose from, a template, a sticker. At most one of them. */
export type Part = Pick<MessageInput, 'location' | 'contacts' | 'interactive' | 'template' | 'sticker'>;

/** Draft is what was typed and not sent. Reply and note keep their own texts. */
export interface Draft {
  mode: 'reply' | 'note';
  reply: string;
  note: string;
  files: DraftFile[];
  replyTo?: { id: string; name: string; excerpt: string };
  part?: Part;
  /** the tag under which a message may go out although the window is closed */
  tag?: string;
  /** files that the channel does not take go as links */
  asLink?: boolean;
}

/** blank is a draft in which there is nothing; spread over another one it empties it. */
export const blank: Draft = { mode: 'reply', reply: '', note: '', files: [], replyTo: undefined, part: undefined, tag: undefined, asLink: undefined };

const prefix = 'draft:';
const held = new Map<string, Draft>();
const listeners = new Set<() => void>();

/** draftOf is the draft of a conversation; the same object until it changes. */
export function draftOf(id: string): Draft {
  let d = held.get(id);
  if (!d) {
    d = { ...blank, ...kept<Draft>(prefix + id) };
    held.set(id, d);
  }
  return d;
}

/** changeDraft changes a draft, which outlives a reload and a sign-in in this tab. */
export function changeDraft(id: string, change: Partial<Draft> | ((d: Draft) => Partial<Draft>)): void {
  const before = draftOf(id);
  const after = { ...before, ...(typeof change === 'function' ? change(before) : change) };
  held.set(id, after);
  const empty = !after.reply && !after.note && after.files.length === 0 && !after.replyTo && !after.part && !after.tag;
  // What was not uploaded to its end cannot be gone on with after a reload.
  keep(prefix + id, empty ? undefined : { ...after, files: after.files.filter((f) => f.id).map(({ preview: _, ...f }) => f) });
  for (const f of listeners) f();
}

onForget(() => {
  held.clear();
  for (const f of listeners) f();
});

const subscribe = (f: () => void) => {
  listeners.add(f);
  return () => listeners.delete(f);
};

export function useDraft(id: string): Draft {
  return useSyncExternalStore(subscribe, () => draftOf(id));
}
