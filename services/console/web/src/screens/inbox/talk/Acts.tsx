import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { api, data, type Message } from '../../../api/client';
import { outbox } from '../../../live/outbox';
import { keepMessage } from '../../../live/timeline';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { IconMenu, MenuItem, MenuLine } from '../../../parts/Menu';
import { Note } from '../../../parts/Note';
import { worded } from '../../../parts/words';
import { type ActionKind, mayAct, type SendRules } from '../rules';
import type { About } from './MessageRow';

const SayDialog = lazy(() => import('./SayDialog'));
const UnsendDialog = lazy(() => import('./UnsendDialog'));

const emojis = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

interface Props {
  message: Message;
  conversation: About;
  rules: SendRules | undefined;
  tabStop: boolean;
  onReply: (m: Message) => void;
}

/** Acts are what can be done with a message: quote it in an answer, and do to it, as its channel can now. */
export function Acts({ message: m, conversation: c, rules, tabStop, onReply }: Props) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState<'edit' | 'unsend' | 'private_reply'>();
  const [open, setOpen] = useState(false);
  const hide = useMutation({
    mutationFn: (to: 'hide' | 'unhide') =>
      data(to === 'hide' ? api.POST('/v1/messages/{id}/hide', { params: { path: { id: m.id } } }) : api.POST('/v1/messages/{id}/unhide', { params: { path: { id: m.id } } })),
    onSuccess: (now) => keepMessage(cache, now),
  });
  const now = Date.now();
  const may = (kind: ActionKind) => mayAct(kind, m, c.kind === 'comments', rules, now);
  const reacts = !!rules?.reactions && m.direction === 'inbound' && c.status !== 'closed';
  const replies = !!rules?.reply_to;
  const any = reacts || (['edit', 'unsend', 'hide', 'unhide', 'private_reply'] as const).some(may);
  const stop = tabStop ? 0 : -1;
  return (
    <>
      {(replies || any) && (
        <span className={`acts${open ? ' open' : ''}`}>
          {replies && (
            <button type="button" className="ib s" tabIndex={stop} aria-label={i18n._('Reply to this')} title={i18n._('Reply to this')} onClick={() => onReply(m)}>
              <Icon name="reply" />
            </button>
          )}
          {any && (
            <IconMenu small label={i18n._('What can be done with it')} align="end" tabIndex={stop} open={open} onOpen={setOpen}>
              {may('edit') && (
                <MenuItem icon="edit" onSelect={() => setAsking('edit')}>
                  {i18n._('Edit…')}
                </MenuItem>
              )}
              {may('unsend') && (
                <MenuItem icon="trash" bad onSelect={() => setAsking('unsend')}>
                  {i18n._('Take back…')}
                </MenuItem>
              )}
              {may('private_reply') && (
                <MenuItem icon="lock" onSelect={() => setAsking('private_reply')}>
                  {i18n._('Answer privately…')}
                </MenuItem>
              )}
              {may('hide') && (
                <MenuItem icon="eyeoff" onSelect={() => hide.mutate('hide')}>
                  {i18n._('Hide from the public')}
                </MenuItem>
              )}
              {may('unhide') && (
                <MenuItem icon="eye" onSelect={() => hide.mutate('unhide')}>
                  {i18n._('Show to the public again')}
                </MenuItem>
              )}
              {reacts && (
                <>
                  <MenuLine />
                  {emojis.map((emoji) => (
                    <MenuItem key={emoji} onSelect={() => react(c.id, m.id, emoji)}>
                      {i18n._('React with {emoji}', { emoji })}
                    </MenuItem>
                  ))}
                </>
              )}
            </IconMenu>
          )}
        </span>
      )}
      {hide.isError && (
        <Note tone="bad" icon="alert" className="fix" role="alert">
          <p>{worded(hide.error)}</p>
          <button type="button" className="btn link t2" onClick={() => hide.reset()}>
            {i18n._('Dismiss')}
          </button>
        </Note>
      )}
      <Suspense>
        {(asking === 'edit' || asking === 'private_reply') && <SayDialog kind={asking} message={m} onClose={() => setAsking(undefined)} />}
        {asking === 'unsend' && <UnsendDialog message={m} onClose={() => setAsking(undefined)} />}
      </Suspense>
    </>
  );
}

/** react sends a reaction as what it is: a message of its own, which waits and is tried again like every other. */
function react(conversation: string, message: string, emoji: string): void {
  outbox.add({ conversation, input: { reaction: { message_id: message, emoji } }, files: [] });
}
