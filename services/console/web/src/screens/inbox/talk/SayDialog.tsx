import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, data, type Message } from '../../../api/client';
import { keep, kept } from '../../../live/keep';
import { keepMessage } from '../../../live/timeline';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { worded } from '../../../parts/words';

/**
 * SayDialog asks for the new text of a message of ours, or for the private answer to a comment. What is typed outlives the dialog, a
 * reload and a sign-in, until it was sent.
 */
export default function SayDialog({ kind, message: m, onClose }: { kind: 'edit' | 'private_reply'; message: Message; onClose: () => void }) {
  const cache = useQueryClient();
  const key = `${kind}:${m.id}`;
  const was = kind === 'edit' ? m.text || ((m.interactive as { body?: string } | null | undefined)?.body ?? '') : '';
  const [text, setText] = useState(() => kept<string>(key) ?? was);
  // One text is said once, however often it is tried.
  const once = useMemo(() => crypto.randomUUID(), [text]);
  const say = useMutation({
    mutationFn: () => {
      const params = { path: { id: m.id }, header: { 'Idempotency-Key': once } };
      return data(kind === 'edit' ? api.POST('/v1/messages/{id}/edit', { params, body: { text } }) : api.POST('/v1/messages/{id}/private-reply', { params, body: { text } }));
    },
    onSuccess: (now) => {
      keep(key, undefined);
      keepMessage(cache, now);
      onClose();
    },
  });
  const ready = text.trim() !== '' && text !== was && !say.isPending;
  const send = () => ready && say.mutate();
  return (
    <Dialog
      open
      title={kind === 'edit' ? i18n._('Edit the message') : i18n._('Answer privately')}
      description={kind === 'edit' ? i18n._('The person sees the new text in place of the old one.') : i18n._('Only the person who wrote the comment sees this.')}
      onClose={onClose}
      footer={
        <button type="submit" form="say" className="btn pri" aria-disabled={!ready}>
          {kind === 'edit' ? i18n._('Change it') : i18n._('Send privately')}
        </button>
      }
    >
      <form
        id="say"
        className="stack mt-2"
        onSubmit={(e) => {
          e.preventDefault();
          send();
        }}
      >
        <label className="field">
          <span className="lb">{i18n._('Text')}</span>
          <textarea
            className="in"
            dir="auto"
            rows={5}
            maxLength={65536}
            value={text}
            aria-invalid={say.isError || undefined}
            onChange={(e) => {
              setText(e.target.value);
              keep(key, e.target.value === was ? undefined : e.target.value);
            }}
            onKeyDown={(e) => {
              if (e.nativeEvent.isComposing || e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
              e.preventDefault();
              send();
            }}
          />
        </label>
        {say.isError && (
          <p className="er" role="alert">
            {worded(say.error)}
          </p>
        )}
      </form>
    </Dialog>
  );
}
