import { type ReactNode, useId, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Icon } from '../../parts/Icon';
import { oneLine } from '../../parts/plain';
import { full } from '../../parts/time';
import { sentence } from '../../parts/words';
import { applies, type Field, mended, type Values, wrong } from './form';

const reasons = {
  pattern: () => i18n._('This does not look as it should.'),
  number: () => i18n._('A number is wanted.'),
  json: () => i18n._('This is no JSON object.'),
  short: () => i18n._('This is too short.'),
};

/** Filled is what a form is filled with: what stands in it, what was saved, and what others have saved since a change began. */
export interface Filled {
  values: Values;
  before: Values;
  was: Values;
  errors: Record<string, string>;
  secrets: Record<string, string>;
  /** until when the secret before the current one is accepted */
  previous: Record<string, { valid_until: string }>;
  readOnly: boolean;
  /** a value that a field can be set to with a button */
  offered: (key: string) => { label: string; text: string } | undefined;
  onChange: (f: Field, text: string) => void;
  onDrop: (key: string) => void;
}

/** Fields is the form of a channel type. Of a secret that is set only that is known: it is replaced, never shown. */
export function Fields({ fields, form }: { fields: Field[]; form: Filled }) {
  return fields.map((f, n) => {
    const first = fields.findIndex((x) => x.key === f.key);
    const on = applies(f, fields, form.values);
    // A key may have several forms, by what else is set: the one that applies is shown.
    if (fields.some((x, m) => m !== n && x.key === f.key && applies(x, fields, form.values)) && (!on || first !== n)) return null;
    return <One key={`${f.key} ${n}`} field={f} on={on} fields={fields} form={form} />;
  });
}

function One({ field: f, on, fields, form }: { field: Field; on: boolean; fields: Field[]; form: Filled }) {
  const id = useId();
  const text = form.values[f.key] ?? '';
  const before = form.before[f.key] ?? '';
  const [replacing, setReplacing] = useState(text !== '');
  const bad = on ? wrong(f, text) : undefined;
  const words = form.errors[f.key] ?? (bad && reasons[bad]());
  const fix = bad && mended(f, text);
  const offered = on && !form.readOnly ? form.offered(f.key) : undefined;
  const theirs = !f.secret && form.was[f.key] !== undefined && form.was[f.key] !== before && text !== before;
  const previous = form.previous[f.key];
  const because = Object.entries(f.when ?? {}).map(([k, v]) => i18n._('{setting} is {value}', { setting: fields.find((x) => x.key === k)?.label ?? k, value: v }));
  const help = [
    f.help,
    f.optional && i18n._('Optional.'),
    f.default && !f.one_of && i18n._('Usually {value}.', { value: f.default }),
    previous && i18n._('The one before is accepted until {when}.', { when: full(previous.valid_until) }),
    !on && i18n._('Only if {conditions}.', { conditions: because.join(', ') }),
  ].filter(Boolean);
  const disabled = !on || form.readOnly;
  const change = (to: string) => form.onChange(f, to);
  const common = {
    id,
    disabled,
    'aria-invalid': words !== undefined,
    'aria-describedby': `${id}h${words ? ` ${id}e` : ''}`,
    value: text,
    onChange: (e: { target: { value: string } }) => change(e.target.value),
  };
  const set = f.secret ? form.secrets[f.key] : undefined;
  const grouped = f.one_of !== undefined && f.one_of.length <= 3 && !(f.optional && !f.default);
  let control: ReactNode;
  if (set && !replacing) {
    control = (
      <div className="row secret">
        <span className="mono faint" aria-hidden="true">
          ••••••••••••
        </span>
        <span className={set === 'set' ? 'chip ok' : 'chip bad'}>{set === 'set' ? i18n._('set') : i18n._('cannot be read: set it again')}</span>
        {!form.readOnly && (
          <button type="button" className="btn s end" disabled={!on} aria-label={i18n._('Replace: {what}', { what: f.label })} onClick={() => setReplacing(true)}>
            {i18n._('Replace')}
          </button>
        )}
      </div>
    );
  } else if (f.secret) {
    control = (
      <div className="row">
        <input {...common} className="in mono" type="password" autoComplete="new-password" autoFocus={set !== undefined && text === ''} />
        {set && (
          <button
            type="button"
            className="btn s"
            aria-label={i18n._('Keep: {what}', { what: f.label })}
            onClick={() => {
              setReplacing(false);
              form.onDrop(f.key);
            }}
          >
            {i18n._('Keep')}
          </button>
        )}
      </div>
    );
  } else if (grouped) {
    control = (
      <div className="seg" role="radiogroup" aria-labelledby={`${id}l`} aria-describedby={common['aria-describedby']}>
        {f.one_of?.map((o) => (
          <label key={o}>
            <input type="radio" className="sr" name={id} value={o} checked={(text || f.default) === o} disabled={disabled} onChange={() => change(o)} />
            {o}
          </label>
        ))}
      </div>
    );
  } else if (f.one_of) {
    control = (
      <select {...common} className="in" value={text || f.default || ''}>
        {!f.default && <option value="">{f.optional ? i18n._('none') : i18n._('Choose one')}</option>}
        {f.one_of.map((o) => (
          <option key={o}>{o}</option>
        ))}
      </select>
    );
  } else if (f.kind === 'bool') {
    const now = (text || f.default) === 'true';
    control = <input id={id} className="sw" type="checkbox" role="switch" checked={now} disabled={disabled} aria-describedby={common['aria-describedby']} onChange={(e) => change(String(e.target.checked))} />;
  } else if (f.kind === 'list' || f.kind === 'object') {
    control = <textarea {...common} className="in mono" rows={Math.min(12, Math.max(f.kind === 'object' ? 4 : 2, text.split('\n').length))} spellCheck={false} placeholder={f.kind === 'list' ? i18n._('one per line') : '{}'} />;
  } else {
    control = <input {...common} className="in mono" type="text" inputMode={f.kind === 'number' ? 'numeric' : undefined} spellCheck={false} autoComplete="off" dir="ltr" />;
  }
  return (
    <div className="sr2">
      <div>
        {grouped || (set && !replacing) ? (
          <span className="b" id={`${id}l`}>
            {f.label}
          </span>
        ) : (
          <label className="b" htmlFor={id}>
            {f.label}
          </label>
        )}
        <p className="help" id={`${id}h`}>
          {help.join(' ')}
        </p>
      </div>
      <div className="ctl">
        {control}
        {words && (
          <p className="help err" id={`${id}e`} role={form.errors[f.key] ? 'alert' : undefined}>
            <Icon name="alert" small /> {sentence(words)}{' '}
            {fix && (
              <button type="button" className="btn link t2" onClick={() => change(fix)}>
                {i18n._('Use {text}', { text: oneLine(fix, 40) })}
              </button>
            )}
          </p>
        )}
        {theirs && (
          <p className="help row wrap" role="status">
            <span>
              {before ? i18n._('Meanwhile somebody saved:') : i18n._('Meanwhile somebody emptied it.')} {before && <bdi className="mono">{oneLine(before, 80)}</bdi>}
            </span>
            <button type="button" className="btn link t2" onClick={() => form.onDrop(f.key)}>
              {i18n._('Take theirs')}
            </button>
          </p>
        )}
        {offered && offered.text !== text && (
          <button type="button" className="btn link t2" onClick={() => change(offered.text)}>
            {offered.label}
          </button>
        )}
      </div>
    </div>
  );
}
