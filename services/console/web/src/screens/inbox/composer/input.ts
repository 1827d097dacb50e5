import type { MessageInput } from '../../../api/client';
import type { Draft } from '../../../live/drafts';
import { sendable } from './parts';

/** inputOf is the reply of a draft as the API takes it. */
export function inputOf(d: Draft): MessageInput {
  const reply_to = d.replyTo && { reply_to: d.replyTo.id };
  if (d.part?.template) return { template: sendable(d.part).template, ...reply_to };
  const ids = d.files.flatMap((f) => f.id ?? []);
  return {
    ...(d.reply.trim() && { text: d.reply }),
    ...(d.part && sendable(d.part)),
    ...(ids.length > 0 && { attachment_ids: ids, ...(d.asLink && { as_link: true }) }),
    ...reply_to,
    ...(d.tag && { message_tag: d.tag }),
  };
}
