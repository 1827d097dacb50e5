import { expect, test } from 'vitest';
import type { Command } from '../../src/parts/commands';
import { ranked } from '../../src/shell/ranked';

const of = (group: string, ...labels: string[]): Command[] => labels.map((label) => ({ group, label, icon: 'info', run: () => undefined }));
// As the palette has them, in its order.
const all = [
  ...of('This conversation', 'Take it', 'Assign or transfer', 'Close', 'Snooze', 'Priority: Urgent', 'Priority: High', 'Mark unread', 'Routing, explained', 'Contact details'),
  ...of('Views', 'All', 'Mine', 'Unassigned', 'Assigned', 'Resolved', 'Unresponded', 'My team', 'Snoozed', 'Blocked'),
  ...of('Messages on a channel', 'Demo whatsapp', 'Demo telegram', 'Signal Shop, outdoor'),
  ...of('Settings of a channel', 'Demo whatsapp', 'Demo telegram', 'Signal Shop, outdoor'),
  ...of('Go to', 'Messages', 'Channels', 'Simulator'),
  ...of('Console', 'Dark or light', 'Sign out'),
  ...of('People', 'Simon Gout', 'Pia Palette', 'Assia Ignatova Outerbridge', 'Urs Gentner'),
];

test.each([
  ['sign out', 'Console: Sign out'],
  ['Sign Out', 'Console: Sign out'],
  ['sign o', 'Console: Sign out'],
  ['out', 'Console: Sign out'],
  ['urgent', 'This conversation: Priority: Urgent'],
  ['assign', 'This conversation: Assign or transfer'],
  ['assigned', 'Views: Assigned'],
  ['snooze', 'This conversation: Snooze'],
  ['snoozed', 'Views: Snoozed'],
  ['channels', 'Go to: Channels'],
  ['demo whats', 'Messages on a channel: Demo whatsapp'],
  ['settings demo whats', 'Settings of a channel: Demo whatsapp'],
  ['dmtg', 'Messages on a channel: Demo telegram'],
  ['dark', 'Console: Dark or light'],
  ['pia', 'People: Pia Palette'],
  [' close ', 'This conversation: Close'],
])('of %j the first is %s', (typed, first) => {
  const [best] = ranked(all, typed);
  expect(`${best?.group}: ${best?.commands[0]?.label}`).toBe(first);
});

test('every group stands once, nothing that does not fit is there, and without a text everything is, as it comes', () => {
  const some = ranked(all, 'demo');
  expect(some.map((r) => r.group)).toEqual([...new Set(some.map((r) => r.group))]);
  expect(ranked(all, 'xyzzy')).toEqual([]);
  expect(ranked(all, '').flatMap((r) => r.commands)).toEqual(all);
});
