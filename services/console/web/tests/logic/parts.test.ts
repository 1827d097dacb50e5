import { expect, test } from 'vitest';
import type { Part } from '../../src/live/drafts';
import { blank } from '../../src/live/drafts';
import { i18n } from '../../src/locales/i18n';
import { inputOf } from '../../src/screens/inbox/composer/input';
import { buttonKinds, choice, doing, filled, fillingOf, headerKinds, kindsOf, lacking, partName, sendable } from '../../src/screens/inbox/composer/parts';
import type { SendRules } from '../../src/screens/inbox/rules';
import { again } from '../../src/screens/inbox/talk/again';

i18n.loadAndActivate({ locale: 'en', messages: {} });

const rules: SendRules = {
  types: ['text', 'image', 'location', 'interactive', 'template'],
  interactive: {
    link: { needs: ['body', 'button', 'url'] },
    buttons: { needs: ['body', 'buttons'], takes: ['footer'], choices: ['reply', 'url'], max_items: 3 },
    list: { needs: ['body', 'sections'], choices: ['reply'] },
  },
  template: { components: { header: ['text', 'image', 'location'], body: ['text', 'currency'], 'button:quick_reply': ['payload'], 'button:flow': ['action'], 'button:url': ['text'] } },
};

test('only what the channel takes is offered, what is used most first', () => {
  expect(kindsOf(rules).map((k) => k.key)).toEqual(['buttons', 'list', 'link', 'location', 'template']);
  expect(kindsOf({ types: ['text'] })).toEqual([]);
  expect(kindsOf(undefined)).toEqual([]);
});

test('a kind is begun with what it has', () => {
  const [buttons, list] = kindsOf(rules);
  expect(buttons?.begin()).toEqual({ interactive: { kind: 'buttons', buttons: [{ kind: 'reply', id: '1', title: '' }] } });
  expect(list?.begin()).toEqual({ interactive: { kind: 'list', sections: [{ rows: [{ kind: 'reply', id: '1', title: '' }] }] } });
});

test('what needs several sections is begun with them, and no two of their choices have the same id', () => {
  const [cards] = kindsOf({ interactive: { carousel: { needs: ['sections'], choices: ['reply'], min_sections: 2, cards: true } } });
  expect(cards?.begin().interactive?.sections?.map((s) => s.rows?.map((r) => r.id))).toEqual([['1'], ['2']]);
});

test('a choice that does something else keeps its words, and nothing of what it did before', () => {
  const before = { kind: 'url', title: 'Shop', description: 'All of it', url: 'https://shop.example' };
  expect(['reply', 'dial', 'location', 'calendar'].map((kind) => doing(before, kind, '7'))).toEqual([
    { kind: 'reply', id: '7', title: 'Shop', description: 'All of it' },
    { kind: 'dial', title: 'Shop', description: 'All of it' },
    { kind: 'location', title: 'Shop', description: 'All of it', location: {} },
    { kind: 'calendar', title: 'Shop', description: 'All of it', event: {} },
  ]);
});

test('no two choices have the same id, also after one was removed', () => {
  const rule = rules.interactive?.['buttons'];
  const one = choice([], rule);
  const two = choice([one], rule);
  expect(choice([two], rule).id).not.toBe(two.id);
  expect(new Set([one.id, two.id, choice([one, two], rule).id]).size).toBe(3);
});

test.each<[string, Part | undefined, boolean]>([
  ['nothing', undefined, false],
  ['a place without coordinates', { location: {} as never }, true],
  ['a place on the equator', { location: { latitude: 0, longitude: 0 } }, false],
  ['a place beyond the pole', { location: { latitude: 91, longitude: 0 } }, true],
  ['a template without a language', { template: { name: 'hello', language: '' } }, true],
  ['a template', { template: { name: 'hello', language: 'en' } }, false],
  ['a sticker without its package', { sticker: { package_id: '', sticker_id: '1' } }, true],
  ['a choice of a place without coordinates', { interactive: { buttons: [{ kind: 'location', location: {} as never }] } }, true],
  ['a choice of a calendar entry without its end', { interactive: { sections: [{ rows: [{ kind: 'calendar', event: { title: 'Fitting', start: '2026-12-03T09:00:00Z' } as never }] }] } }, true],
  ['buttons, which the server judges', { interactive: { kind: 'buttons' } }, false],
])('%s: is something lacking?', (_, part, lacks) => {
  expect(lacking(part) !== undefined).toBe(lacks);
});

test('fields that were left empty are not sent', () => {
  expect(sendable({ interactive: { kind: 'buttons', header: ' ', footer: undefined, buttons: [{ id: '1', title: 'Yes', url: '' }] } })).toEqual({
    interactive: { kind: 'buttons', buttons: [{ id: '1', title: 'Yes' }] },
  });
  expect(sendable({ location: { latitude: 0, longitude: 0, name: '' } })).toEqual({ location: { latitude: 0, longitude: 0 } });
});

test('what fills a template is read back as it was typed', () => {
  const f = { header: { kind: 'image', value: 'https://shop.example/a.png' }, body: ['Siti', 'TRB-1'], buttons: [{ sub_type: 'url', index: '1', value: 'TRB-1' }, { sub_type: 'quick_reply', index: '0', value: 'yes' }] };
  expect(fillingOf({ name: 'n', language: 'en', components: filled(f) })).toEqual(f);
  const text = { header: { kind: 'text', value: 'Hi' }, body: [], buttons: [] };
  expect(fillingOf({ name: 'n', language: 'en', components: filled(text) })).toEqual(text);
  expect(filled({ ...text, header: { kind: 'text', value: ' ' } })).toEqual([]);
});

test('of a template only what a form can ask for is asked for', () => {
  expect(headerKinds(rules)).toEqual(['text', 'image']);
  expect(buttonKinds(rules)).toEqual(['quick_reply', 'url']);
});

test('a part is named by what it says', () => {
  expect(partName({ interactive: { kind: 'buttons', buttons: [{ title: 'Yes' }, { title: 'No' }] } })).toBe('Buttons: Yes, No');
  expect(partName({ template: { name: 'hello', language: 'en' } })).toBe('Template hello');
});

const file = { key: 'k', id: 'att_1', name: 'a.pdf', size: 3, type: 'application/pdf', progress: 1 };

test('a reply is sent with everything that belongs to it', () => {
  const d = { ...blank, reply: 'Choose', files: [file], part: { interactive: { kind: 'buttons', buttons: [{ id: '1', title: 'Yes' }] } }, tag: 'HUMAN_AGENT', asLink: true, replyTo: { id: 'msg_1', name: '', excerpt: '' } };
  expect(inputOf(d)).toEqual({ text: 'Choose', interactive: d.part.interactive, attachment_ids: ['att_1'], as_link: true, reply_to: 'msg_1', message_tag: 'HUMAN_AGENT' });
});

test('a template goes without what is typed for later', () => {
  expect(inputOf({ ...blank, reply: 'later', files: [file], part: { template: { name: 'hello', language: 'en' } } })).toEqual({ template: { name: 'hello', language: 'en' } });
});

test('a message that was refused comes back whole, in front of what was written since', () => {
  const d = { ...blank, reply: 'Choose', files: [file], part: { interactive: { kind: 'buttons', buttons: [{ id: '1', title: 'Yes' }] } }, tag: 'HUMAN_AGENT' };
  const back = again({ input: inputOf(d), files: [{ id: 'att_1', name: 'a.pdf', type: 'application/pdf', size: 3 }] }, { ...blank, reply: 'and more' });
  expect(back).toMatchObject({ mode: 'reply', reply: 'Choose\nand more', part: d.part, tag: 'HUMAN_AGENT', files: [{ id: 'att_1', name: 'a.pdf' }] });
  expect(again({ input: { direction: 'note', text: 'a' }, files: [] }, { ...blank, note: 'b' })).toEqual({ mode: 'note', note: 'a\nb' });
});
