import type { Fault } from '../../api/fault';
import { i18n } from '../../locales/i18n';

/** Field is a setting or a secret of a channel type, as GET /v1/channel-types describes it. A dotted key lies in an object: imap.host. */
export interface Field {
  key: string;
  label: string;
  help?: string;
  kind?: 'number' | 'list' | 'object' | 'bool' | 'text';
  one_of?: string[];
  default?: string;
  /** of the text, or of every line of a list */
  pattern?: string;
  min_length?: number;
  optional?: boolean;
  secret?: boolean;
  when?: Record<string, string>;
}

export interface ChannelType {
  type: string;
  title: string;
  settings: Field[];
  /** the settings that name the provider's account */
  account?: string[];
  inbound?: { app_level?: boolean };
}

/** Values are what stands in the form: texts by key, secrets among them. */
export type Values = Record<string, string>;

/** The channel's name stands among the values under a key that no setting has. */
export const name = '/name';

/** applies says whether a field has a meaning with the other values. */
export function applies(f: Field, fields: Field[], values: Values): boolean {
  return Object.entries(f.when ?? {}).every(([key, want]) => (values[key] || fields.find((x) => x.key === key)?.default || '') === want);
}

function at(settings: Record<string, unknown>, key: string): unknown {
  return key.split('.').reduce<unknown>((v, k) => (v && typeof v === 'object' ? (v as Record<string, unknown>)[k] : undefined), settings);
}

/** shown are the texts of a channel's settings. */
export function shown(fields: Field[], settings: Record<string, unknown>): Values {
  const out: Values = {};
  for (const f of fields) {
    const v = at(settings, f.key);
    if (f.secret || v === undefined || v === null) continue;
    out[f.key] = f.kind === 'list' && Array.isArray(v) ? v.join('\n') : typeof v === 'object' ? JSON.stringify(v, null, 2) : String(v);
  }
  return out;
}

const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean);

/** fits matches a pattern of the API, which is one of Go's. One that a browser does not know fits everything: the API still says no. */
function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return true;
  }
}

/** wrong says what is not right with a text before anybody is asked; the pattern's own words are the field's help. */
export function wrong(f: Field, text: string): 'pattern' | 'number' | 'json' | 'short' | undefined {
  if (!text) return undefined;
  if (f.kind === 'number' && !Number.isFinite(Number(text))) return 'number';
  if (f.pattern && !(f.kind === 'list' ? lines(text) : [text]).every((t) => fits(f.pattern ?? '', t))) return 'pattern';
  if (f.min_length && [...text].length < f.min_length) return 'short';
  if (f.kind === 'object') {
    try {
      const v: unknown = JSON.parse(text);
      if (!v || typeof v !== 'object' || Array.isArray(v)) return 'json';
    } catch {
      return 'json';
    }
  }
  return undefined;
}

/** mended is a text without what people copy along: spaces around it, and the spaces, hyphens and brackets within numbers. */
export function mended(f: Field, text: string): string | undefined {
  if (f.kind === 'list' || f.kind === 'object') return undefined;
  return [text.trim(), text.replace(/\s+/g, ''), text.replace(/[\s().-]+/g, '')].find((t) => t && t !== text && !wrong(f, t));
}

/** missing are the fields without which the API takes no channel: those that apply, and have neither a text nor a value already. */
export function missing(fields: Field[], values: Values, set: Record<string, string>): Field[] {
  return fields.filter((f) => !f.optional && !f.default && applies(f, fields, values) && !values[f.key]?.trim() && !(f.secret && set[f.key]));
}

function value(f: Field, text: string): unknown {
  if (!text) return null;
  switch (f.kind) {
    case 'number':
      return Number(text);
    case 'bool':
      return text === 'true';
    case 'list':
      return lines(text);
    case 'object':
      return JSON.parse(text);
    default:
      return text;
  }
}

/** changed are the fields whose text is another than before; an empty secret is one that stays. A key counts once, whatever forms it has. */
export function changed(fields: Field[], before: Values, now: Values): Field[] {
  return fields.filter((f) => (f.secret ? !!now[f.key] : (now[f.key] ?? '') !== (before[f.key] ?? '')));
}

/** input is what the API is told of the changed fields: null takes a setting away, which only an existing channel needs. */
export function input(of: Field[], now: Values, fresh: boolean): { settings?: Record<string, unknown>; secrets?: Record<string, string> } {
  const settings: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const f of of) {
    const text = now[f.key] ?? '';
    if (f.secret) secrets[f.key] = text;
    else if (text || !fresh) put(settings, f.key.split('.'), value(f, text));
  }
  return { ...(Object.keys(settings).length > 0 && { settings }), ...(Object.keys(secrets).length > 0 && { secrets }) };
}

function put(into: Record<string, unknown>, [key = '', ...rest]: string[], v: unknown): void {
  if (rest.length === 0) into[key] = v;
  else put((into[key] ??= {}) as Record<string, unknown>, rest, v);
}

/** pointed are the words of a refused call by the field that they are about; what is about none stays under ''. */
export function pointed(fault: Fault, type: Pick<ChannelType, 'settings' | 'account'>): Record<string, string> {
  const out: Record<string, string> = {};
  const add = (key: string, words: string) => (out[key] = out[key] ? `${out[key]}; ${words}` : words);
  // Another channel has the account: the first setting that names it is what can be changed here.
  if (fault.code === 'account_claimed' && type.account?.[0]) add(type.account[0], fault.message);
  for (const e of fault.problem.errors ?? []) {
    const [, group, ...rest] = e.pointer.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (group === 'name') {
      add(name, e.detail);
      continue;
    }
    const of = (f: Field) => group === (f.secret ? 'secrets' : 'settings') && (rest.join('.') === f.key || rest.join('.').startsWith(`${f.key}.`));
    const f = type.settings.find(of);
    const line = f?.kind === 'list' ? Number(rest.at(-1)) : NaN;
    add(f?.key ?? '', Number.isInteger(line) ? i18n._('Line {n}: {what}', { n: line + 1, what: e.detail }) : e.detail);
  }
  return out;
}
