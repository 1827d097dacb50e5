import type { Fault } from '../../api/fault';

/** Field is a setting or a secret of a channel type, as GET /v1/channel-types describes it. */
export interface Field {
  key: string;
  label: string;
  help?: string;
  kind?: 'number' | 'list' | 'object' | 'bool';
  one_of?: string[];
  default?: string;
  pattern?: string;
  min_length?: number;
  optional?: true;
  secret?: true;
  when?: Record<string, string>;
}

export interface ChannelType {
  type: string;
  title: string;
  settings: Field[];
}

/** Values are what stands in the form: texts by key, secrets among them. */
export type Values = Record<string, string>;

/** applies says whether a field has a meaning with the other values. */
export function applies(f: Field, fields: Field[], values: Values): boolean {
  return Object.entries(f.when ?? {}).every(([key, want]) => (values[key] || fields.find((x) => x.key === key)?.default || '') === want);
}

/** shown are the texts of a channel's settings. */
export function shown(fields: Field[], settings: Record<string, unknown>): Values {
  const out: Values = {};
  for (const f of fields) {
    const v = settings[f.key];
    if (f.secret || v === undefined || v === null) continue;
    out[f.key] = f.kind === 'list' && Array.isArray(v) ? v.join('\n') : typeof v === 'object' ? JSON.stringify(v, null, 2) : String(v);
  }
  return out;
}

/** wrong says what is not right with a text before anybody is asked; the pattern's own words are the field's help. */
export function wrong(f: Field, text: string): 'pattern' | 'number' | 'json' | 'short' | undefined {
  if (!text) return undefined;
  if (f.pattern && !new RegExp(f.pattern, 'u').test(text)) return 'pattern';
  if (f.kind === 'number' && !Number.isFinite(Number(text))) return 'number';
  if (f.min_length && text.length < f.min_length) return 'short';
  if (f.kind === 'object') {
    try {
      JSON.parse(text);
    } catch {
      return 'json';
    }
  }
  return undefined;
}

function value(f: Field, text: string): unknown {
  if (!text) return null;
  switch (f.kind) {
    case 'number':
      return Number(text);
    case 'bool':
      return text === 'true';
    case 'list':
      return text.split('\n').map((l) => l.trim()).filter(Boolean);
    case 'object':
      return JSON.parse(text);
    default:
      return text;
  }
}

/** changed are the fields whose text is another than before; an empty secret is one that stays. */
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
    else if (text || !fresh) settings[f.key] = value(f, text);
  }
  return { ...(Object.keys(settings).length > 0 && { settings }), ...(Object.keys(secrets).length > 0 && { secrets }) };
}

/** pointed are the words of a refused call by the field that they are about; what is about none stays under ''. */
export function pointed(fault: Fault, fields: Field[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const e of fault.problem.errors ?? []) {
    const [, group, key] = e.pointer.split('/');
    const at = group === 'name' ? 'name' : (fields.find((f) => f.key === key && group === (f.secret ? 'secrets' : 'settings'))?.key ?? '');
    out[at] = out[at] ? `${out[at]}; ${e.detail}` : e.detail;
  }
  return out;
}
