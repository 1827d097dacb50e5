import { type ReactNode, useId, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Icon } from '../../parts/Icon';
import { sentence } from '../../parts/words';
import { applies, type Field, type Values, wrong } from './form';

const reasons = {
  pattern: () => i18n._('This does not look as it should.'),
  number: () => i18n._('A number is wanted.'),
  json: () => i18n._('This is no JSON.'),
  short: () => i18n._('This is too short.'),
};

/** Fields is the form of a channel type. Of a secret that is set only that is known: it is replaced, never shown. */
export function Fields({
  fields,
  values,
  errors,
  secrets,
  readOnly,
  onChange,
}: {
  fields: Field[];
  values: Values;
  errors: Record<string, string>;
  secrets: Record<string, string>;
  readOnly: boolean;
  onChange: (key: string, text: string) => void;
}) {
  return fields.map((f, n) => {
    const twin = fields.findIndex((x) => x.key === f.key);
    const on = applies(f, fields, values);
    // A key may have several forms, by what else is set: the one that applies is shown.
    if (fields.some((x, m) => m !== n && x.key === f.key && applies(x, fields, values)) && (!on || twin !== n)) return null;
    return <One key={`${f.key} ${n}`} field={f} on={on} fields={fields} text={values[f.key] ?? ''} error={errors[f.key]} secret={secrets[f.key]} readOnly={readOnly} onChange={(t) => onChange(f.key, t)} />;
  });
}

function One({ field: f, on, fields, text, error, secret, readOnly, onChange }: { field: Field; on: boolean; fields: Field[]; text: string; error: string | undefined; secret: string | undefined; readOnly: boolean; onChange: (text: string) => void }) {
  const id = useId();
  const [replacing, setReplacing] = useState(false);
  const bad = error ?? (on ? wrong(f, text) && reasons[wrong(f, text) ?? 'pattern']() : undefined);
  const because = Object.entries(f.when ?? {}).map(([k, v]) => i18n._('{setting} is {value}', { setting: fields.find((x) => x.key === k)?.label ?? k, value: v }));
  const help = [f.help, f.optional && i18n._('Optional.'), f.default && !f.one_of && i18n._('Usually {value}.', { value: f.default }), !on && i18n._('Only if {conditions}.', { conditions: because.join(', ') })].filter(Boolean).join(' ');
  const common = { id, className: 'in mono', disabled: !on || readOnly, 'aria-invalid': bad !== undefined, 'aria-describedby': `${id}h${bad ? ` ${id}e` : ''}`, value: text, onChange: (e: { target: { value: string } }) => onChange(e.target.value) };
  let control: ReactNode;
  if (f.secret && secret && !replacing) {
    control = (
      <div className="row secret">
        <span className="mono faint" aria-hidden="true">
          ••••••••••••
        </span>
        <span className={secret === 'set' ? 'chip ok' : 'chip bad'}>{secret === 'set' ? i18n._('set') : i18n._('cannot be read: set it again')}</span>
        {!readOnly && (
          <button type="button" className="btn s end" disabled={!on} aria-label={i18n._('Replace: {what}', { what: f.label })} onClick={() => setReplacing(true)}>
            {i18n._('Replace')}
          </button>
        )}
      </div>
    );
  } else if (f.secret) {
    control = <input {...common} type="password" autoComplete="new-password" />;
  } else if (f.one_of && f.one_of.length <= 3) {
    control = (
      <div className="seg" role="radiogroup" aria-labelledby={`${id}l`} id={id}>
        {f.one_of.map((o) => (
          <button key={o} type="button" role="radio" aria-checked={(text || f.default) === o} disabled={!on || readOnly} onClick={() => onChange(o)}>
            {o}
          </button>
        ))}
      </div>
    );
  } else if (f.one_of) {
    control = (
      <select {...common} className="in">
        {f.one_of.map((o) => (
          <option key={o}>{o}</option>
        ))}
      </select>
    );
  } else if (f.kind === 'list' || f.kind === 'object') {
    control = <textarea {...common} rows={f.kind === 'object' ? 5 : 2} spellCheck={false} placeholder={f.kind === 'list' ? i18n._('one per line') : '{}'} />;
  } else {
    control = <input {...common} type="text" inputMode={f.kind === 'number' ? 'numeric' : undefined} spellCheck={false} autoComplete="off" dir="ltr" />;
  }
  return (
    <div className="sr2">
      <div>
        <label className="b" id={`${id}l`} htmlFor={id}>
          {f.label}
        </label>
        <p className="help" id={`${id}h`}>
          {help}
        </p>
      </div>
      <div className="ctl">
        {control}
        {bad && (
          <p className="help err" id={`${id}e`} role={error ? 'alert' : undefined}>
            <Icon name="alert" small /> {sentence(bad)}
          </p>
        )}
      </div>
    </div>
  );
}
