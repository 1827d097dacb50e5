import { expect, test } from 'vitest';
import type { Message } from '../../src/api/client';
import { type ActionKind, mayAct, rulesOf, type SendRules } from '../../src/screens/inbox/rules';

const now = Date.parse('2026-11-30T12:00:00Z');
const rules: SendRules = {
  actions: {
    edit: { types: ['text', 'interactive'], interactive: ['buttons'] },
    unsend: { for: '48h0m0s' },
    hide: {},
    unhide: {},
    private_reply: {},
  },
};
const ours = { direction: 'outbound', type: 'text', status: 'sent', external_ids: ['1'], created_at: '2026-11-30T11:00:00Z', actions: [] };
const comment = { ...ours, direction: 'inbound', status: null };
const queued = (kind: string) => [{ kind, status: 'queued' }];

test.each<[string, ActionKind, object, boolean, boolean]>([
  ['a text of ours is edited', 'edit', ours, false, true],
  ['and taken back', 'unsend', ours, false, true],
  ['not while it is on its way', 'unsend', { ...ours, status: 'queued' }, false, false],
  ['one that failed in part is taken back', 'unsend', { ...ours, status: 'failed' }, false, true],
  ['and not edited', 'edit', { ...ours, status: 'failed' }, false, false],
  ['one that the provider does not have', 'unsend', { ...ours, external_ids: [] }, false, false],
  ['a picture is not edited here', 'edit', { ...ours, type: 'image' }, false, false],
  ['buttons are', 'edit', { ...ours, type: 'interactive', interactive: { kind: 'buttons' } }, false, true],
  ['a keyboard is not', 'edit', { ...ours, type: 'interactive', interactive: { kind: 'reply_keyboard' } }, false, false],
  ['after 48 hours it stays', 'unsend', { ...ours, created_at: '2026-11-28T12:00:00Z' }, false, false],
  ['shortly before that it does not', 'unsend', { ...ours, created_at: '2026-11-28T12:00:01Z' }, false, true],
  ['twice at a time it is not taken back', 'unsend', { ...ours, actions: queued('unsend') }, false, false],
  ['while it is taken back it is not edited', 'edit', { ...ours, actions: queued('unsend') }, false, false],
  ['edits may overlap', 'edit', { ...ours, actions: queued('edit') }, false, true],
  ['what is gone stays so', 'edit', { ...ours, deleted_at: '2026-11-30T11:30:00Z' }, false, false],
  ['a customer’s message is not ours', 'edit', comment, true, false],
  ['a comment is hidden', 'hide', comment, true, true],
  ['one that is hidden is not', 'hide', { ...comment, hidden: true }, true, false],
  ['it is shown again', 'unhide', { ...comment, hidden: true }, true, true],
  ['one that is seen is not', 'unhide', comment, true, false],
  ['a comment is answered privately', 'private_reply', comment, true, true],
  ['a message that is no comment is not hidden', 'hide', comment, false, false],
])('%s', (_, kind, message, isComment, may) => {
  expect(mayAct(kind, message as Message, isComment, rules, now)).toBe(may);
});

test('a channel whose rules are not known, or that does nothing, offers nothing', () => {
  expect(mayAct('edit', ours as unknown as Message, false, undefined, now)).toBe(false);
  expect(mayAct('edit', ours as unknown as Message, false, { actions: {} }, now)).toBe(false);
});

test('below a post the rules of comments hold, where a channel has such', () => {
  const [send, comments] = [{ types: ['text'] }, { types: ['image'] }];
  expect(rulesOf({ send, comments }, 'comments')).toBe(comments);
  expect(rulesOf({ send, comments }, 'messages')).toBe(send);
  expect(rulesOf({ send }, 'comments')).toBe(send);
  expect(rulesOf(undefined, 'comments')).toBeUndefined();
});
