import type { MessageInput } from '../../../api/client';
import type { Part } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import type { IconName } from '../../../parts/Icon';
import type { InteractiveRule, SendRules } from '../rules';

export type Interactive = NonNullable<MessageInput['interactive']>;
export type Choice = NonNullable<Interactive['buttons']>[number];
export type Template = NonNullable<MessageInput['template']>;

/** Kind is a kind of message besides text and files that a channel takes. */
export interface Kind {
  key: string;
  icon: IconName;
  name: string;
  /** what a message of the kind has when it is begun */
  begin: () => Part;
}

/** kindsOf are the kinds that a channel takes, in the order in which they are offered. */
export function kindsOf(rules: SendRules | undefined): Kind[] {
  const out: Kind[] = [];
  for (const [kind, rule] of Object.entries(rules?.interactive ?? {}).sort(([a], [b]) => order(a) - order(b))) {
    out.push({ key: kind, icon: interactiveIcon(kind), name: interactiveName(kind), begin: () => ({ interactive: begun(kind, rule) }) });
  }
  const takes = (type: string) => rules?.types?.includes(type) ?? false;
  if (takes('location')) out.push({ key: 'location', icon: 'map', name: i18n._('Place'), begin: () => ({ location: {} as Part['location'] }) });
  if (takes('contact')) out.push({ key: 'contact', icon: 'user', name: i18n._('Contact card'), begin: () => ({ contacts: [{}] }) });
  if (rules?.sticker_packages) out.push({ key: 'sticker', icon: 'smile', name: i18n._('Sticker'), begin: () => ({ sticker: { package_id: '', sticker_id: '' } }) });
  if (rules?.template) out.push({ key: 'template', icon: 'doc', name: i18n._('Template'), begin: () => ({ template: { name: '', language: '' } }) });
  return out;
}

const kinds = ['buttons', 'list', 'reply_keyboard', 'link', 'cards', 'carousel', 'media', 'location_request', 'contact_request', 'force_reply', 'flow'];
const order = (kind: string) => kinds.indexOf(kind) >>> 0;

function interactiveIcon(kind: string): IconName {
  return ({ list: 'queue', link: 'link', cards: 'panel', carousel: 'panel', media: 'image', location_request: 'pin', contact_request: 'user', force_reply: 'reply', flow: 'doc' } as Record<string, IconName>)[kind] ?? 'bolt';
}

export function interactiveName(kind: string): string {
  switch (kind) {
    case 'buttons':
      return i18n._('Buttons');
    case 'list':
      return i18n._('List to choose from');
    case 'reply_keyboard':
      return i18n._('Quick replies');
    case 'link':
      return i18n._('Button with a link');
    case 'cards':
    case 'carousel':
      return i18n._('Cards side by side');
    case 'media':
      return i18n._('Picture or video with buttons');
    case 'location_request':
      return i18n._('Question for the place');
    case 'contact_request':
      return i18n._('Question for the phone number');
    case 'force_reply':
      return i18n._('Question with a field');
    case 'flow':
      return i18n._('Flow');
    default:
      return kind.replaceAll('_', ' ');
  }
}

/** has says whether a kind of interactive message has a field. */
export const has = (rule: InteractiveRule | undefined, field: string) => !!(rule?.needs?.includes(field) || rule?.takes?.includes(field));

function begun(kind: string, rule: InteractiveRule): Interactive {
  return {
    kind,
    ...(has(rule, 'buttons') && { buttons: [choice([], rule)] }),
    ...(has(rule, 'sections') && { sections: sections(rule) }),
    ...(has(rule, 'flow') && { flow: {} }),
  };
}

// A message that has at least so many sections begins with them.
function sections(rule: InteractiveRule): NonNullable<Interactive['sections']> {
  const out: { rows: Choice[] }[] = [];
  for (let n = 0; n < (rule.min_sections || 1); n += 1) out.push({ rows: [choice(out.flatMap((s) => s.rows), rule)] });
  return out;
}

/** choice is one more of these choices: its id tells it apart from the others when it is picked. */
export function choice(others: Choice[], rule: InteractiveRule | undefined): Choice {
  const taken = new Set(others.map((c) => c.id));
  let n = others.length + 1;
  while (taken.has(String(n))) n += 1;
  return doing({ title: '' }, rule?.choices?.[0], String(n));
}

/** doing is a choice that does something else: it keeps its words, and has what the other kind needs. The id is that of one that answers. */
export function doing(c: Choice, kind: string | undefined, id: string): Choice {
  return {
    ...(kind && { kind }),
    ...((kind === undefined || kind === 'reply') && { id }),
    title: c.title,
    ...(c.description && { description: c.description }),
    ...(kind === 'location' && { location: {} as Choice['location'] }),
    ...(kind === 'calendar' && { event: {} as Choice['event'] }),
  };
}

/** partName says in a few words what a part is. */
export function partName(p: Part): string {
  const v = p.interactive;
  if (v) {
    const titles = [...(v.buttons ?? []), ...(v.sections ?? []).flatMap((s) => s.rows ?? [])].flatMap((c) => c.title || []);
    return [interactiveName(v.kind ?? ''), titles.join(', ') || v.button].filter(Boolean).join(': ');
  }
  if (p.template) return [i18n._('Template'), p.template.name].filter(Boolean).join(' ');
  if (p.location) return [i18n._('Place'), p.location.name || p.location.address].filter(Boolean).join(': ');
  if (p.contacts) return [i18n._('Contact card'), p.contacts[0]?.name].filter(Boolean).join(': ');
  return i18n._('Sticker');
}

/** lacking says what a part must have before the server can be asked about it; undefined: it can. */
export function lacking(p: Part | undefined): string | undefined {
  const choices = [...(p?.interactive?.buttons ?? []), ...(p?.interactive?.sections ?? []).flatMap((s) => s.rows ?? [])];
  if ([p?.location, ...choices.map((c) => c.location)].some((l) => l && !(Math.abs(l.latitude ?? NaN) <= 90 && Math.abs(l.longitude ?? NaN) <= 180))) return i18n._('The place needs its latitude and longitude.');
  if (choices.some(({ event: e }) => e && !(e.title?.trim() && e.start && e.end))) return i18n._('The calendar entry needs its title, its start and its end.');
  if (p?.template && (p.template.name.trim() === '' || p.template.language.trim().length < 2)) return i18n._('The template needs its name and its language.');
  if (p?.sticker && !(p.sticker.package_id && p.sticker.sticker_id)) return i18n._('The sticker needs the ids of its package and of itself.');
  return undefined;
}

/** sendable is a part as the API takes it: fields that were left empty are not there. */
export function sendable(p: Part): Part {
  return pruned(p) as Part;
}

function pruned(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(pruned);
  if (typeof v !== 'object' || v === null) return v;
  return Object.fromEntries(Object.entries(v).flatMap(([k, x]) => (x === undefined || (typeof x === 'string' && x.trim() === '') ? [] : [[k, pruned(x)]])));
}

/** Filling is a template's values as a form has them: one text each. */
export interface Filling {
  header: { kind: string; value: string };
  body: string[];
  buttons: { sub_type: string; index: string; value: string }[];
}

const media = ['image', 'video', 'document'];
// The kind of the one parameter of a button.
const buttonValue: Record<string, 'payload' | 'text' | 'coupon_code'> = { quick_reply: 'payload', url: 'text', copy_code: 'coupon_code' };

/** buttonKinds are the kinds of buttons that can be filled in here. */
export const buttonKinds = (rules: SendRules | undefined): string[] =>
  Object.keys(rules?.template?.components ?? {}).flatMap((key) => (key.startsWith('button:') && key.slice(7) in buttonValue ? [key.slice(7)] : []));

/** headerKinds are the kinds of headers that can be filled in here. */
export const headerKinds = (rules: SendRules | undefined): string[] => (rules?.template?.components['header'] ?? []).filter((k) => k === 'text' || media.includes(k));

/** filled are the components of a template with these values. */
export function filled(f: Filling): Template['components'] {
  const out: NonNullable<Template['components']> = [];
  const { kind, value } = f.header;
  if (value.trim()) {
    out.push({ type: 'header', parameters: [kind === 'text' ? { type: 'text', text: value } : { type: kind, attachment: { url: value, type: kind as 'image' | 'video' | 'document' } }] });
  }
  if (f.body.length > 0) out.push({ type: 'body', parameters: f.body.map((text) => ({ type: 'text', text })) });
  for (const b of f.buttons) {
    const type = buttonValue[b.sub_type];
    if (type) out.push({ type: 'button', sub_type: b.sub_type, index: b.index, parameters: [{ type, [type]: b.value }] });
  }
  return out;
}

/** fillingOf reads back what filled wrote. */
export function fillingOf(t: Template): Filling {
  const out: Filling = { header: { kind: 'text', value: '' }, body: [], buttons: [] };
  for (const c of t.components ?? []) {
    const p = c.parameters?.[0];
    if (c.type === 'header' && p) out.header = { kind: p.type, value: p.text ?? p.attachment?.url ?? '' };
    if (c.type === 'body') out.body = (c.parameters ?? []).map((x) => x.text ?? '');
    if (c.type === 'button' && c.sub_type) out.buttons.push({ sub_type: c.sub_type, index: c.index ?? '0', value: p?.payload ?? p?.text ?? p?.coupon_code ?? '' });
  }
  return out;
}
