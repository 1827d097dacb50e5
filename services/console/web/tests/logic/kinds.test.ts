import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TimelineEvent } from '../../src/api/client';
import { messages } from '../../src/locales/en.po';
import { i18n } from '../../src/locales/i18n';
import { interactiveName } from '../../src/screens/inbox/composer/parts';
import { choiceName } from '../../src/screens/inbox/choices';
import { kindOf } from '../../src/screens/inbox/kinds';
import { told } from '../../src/screens/inbox/talk/events';

i18n.load('en', messages);
i18n.activate('en');

const root = new URL('../../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const sources = (folder: string) =>
  readdirSync(new URL(folder, root))
    .filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))
    .map((f) => read(folder + f))
    .join('\n');
const found = (text: string, ...patterns: RegExp[]) => [...new Set(patterns.flatMap((p) => [...text.matchAll(p)].map((m) => m[1] ?? '')))].sort();

test('every type of message has words of its own', () => {
  const types = found(read('pkg/event/message.go'), /MessageType = "(\w+)"/g).filter((t) => t !== 'text'); // which speaks for itself
  expect(types).toContain('story_mention');
  expect(types.filter((t) => kindOf(t) === kindOf(''))).toEqual([]);
});

test('every row of a timeline that is no message has words of its own', () => {
  const states = /Membership struct \{\n\tState string `json:"state"` \/\/ (.+)/.exec(read('pkg/event/inbound.go'))?.[1]?.split(', ') ?? [];
  const code = sources('services/inbox/record/') + sources('services/inbox/intake/');
  const types = found(
    code,
    /happened\("\w+", "(\w+)"/g, // a change of a conversation
    /\btyp :?= (?:.*, )?"(\w+)"$/gm, // one of several changes
    /, typ = .*"(\w+)"$/gm,
    /^const PriorityChanged = "(\w+)"/gm,
    /h\.Type(?:, h\.Data[^=]*)? = "\w+", "(\w+)"/g, // what a channel tells
    /h\.Category, h\.Type.* = "\w+", "(\w+)"/g,
    /^\s*h\.Type = "(\w+)"/gm,
    /Category: "\w+", Type: "(\w+)"/g,
    /event\.Action\w+: "(\w+)"/g, // what was done to a message
  );
  expect(types).toEqual(expect.arrayContaining(['conversation_opened', 'bot_on', 'unsnoozed', 'priority_changed', 'consent_changed', 'thread_control', 'identity_changed', 'action_failed', 'message_hidden']));
  expect(states).toContain('followed');
  const e = (type: string) => ({ id: 'e', type, category: '', actor: { kind: 'system' }, data: {}, at: '' }) as unknown as TimelineEvent;
  expect([...types, ...states].filter((t) => told(e(t), { queue: (id) => id }).icon === told(e('of a newer version'), { queue: (id) => id }).icon)).toEqual([]);
});

test('every kind of choice, and of message to choose from, has words of its own', () => {
  const input = read('services/inbox/openapi.yaml');
  const listed = (schema: string) => {
    const text = new RegExp(`    ${schema}:[\\s\\S]*?kind: \\{[^}]*description: "([^";]+)`).exec(input)?.[1] ?? '';
    return text.split(/, | or /);
  };
  // A name that is made of the kind alone is of one that is not known.
  const bare = (kind: string) => kind.replaceAll('_', ' ');
  expect(listed('ChoiceInput')).toEqual(expect.arrayContaining(['reply', 'dial', 'location', 'calendar']));
  expect(listed('ChoiceInput').filter((k) => choiceName(k) === bare(k))).toEqual([]);
  expect(listed('InteractiveInput')).toContain('carousel');
  expect(listed('InteractiveInput').filter((k) => interactiveName(k) === bare(k))).toEqual([]);
});
