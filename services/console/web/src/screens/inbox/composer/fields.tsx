import { createContext, type ReactNode, useContext, useEffect, useId, useState } from 'react';
import type { MessageCheck } from '../../../api/client';
import type { Part } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { sentence } from '../../../parts/words';

type Errors = MessageCheck['errors'];

const Faults = createContext<{ errors: Errors; shown: ReadonlySet<string>; show: (pointer: string) => () => void }>({ errors: [], shown: new Set(), show: () => () => undefined });

/** Wrong gives the fields in it what is wrong with them. */
export function Wrong({ errors, children }: { errors: Errors; children: ReactNode }) {
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const [show] = useState(() => (pointer: string) => {
    setShown((s) => new Set([...s, pointer]));
    return () => setShown((s) => new Set([...s].filter((p) => p !== pointer)));
  });
  return <Faults value={{ errors, shown, show }}>{children}</Faults>;
}

/** useWrong is what is wrong with a field, named by its pointers, which then stands beside it alone. */
function useWrong(...pointers: (string | undefined)[]): string[] {
  const { errors, show } = useContext(Faults);
  const all = pointers.filter((p) => p !== undefined).join(' ');
  useEffect(() => {
    const hide = all.split(' ').filter(Boolean).map(show);
    return () => hide.forEach((h) => h());
  }, [all, show]);
  return errors.filter((e) => e.pointer && pointers.includes(e.pointer)).map((e) => sentence(e.detail));
}

/** Others says what is wrong that belongs to no field. */
export function Others() {
  const { errors, shown } = useContext(Faults);
  return errors.filter((e) => !e.pointer || !shown.has(e.pointer)).map((e, n) => (
    <p key={n} className="help err">
      {sentence(e.detail)}
    </p>
  ));
}

interface TextProps {
  name: string;
  value: string | null | undefined;
  put: (v: string) => void;
  /** the pointers of its value in a message */
  at?: string | string[];
  max?: number;
  lines?: number;
  type?: 'text' | 'url' | 'tel' | 'datetime-local';
  help?: string;
  /** the name is read out, and the field itself shows only this */
  hint?: string;
}

/** Text is a field with a name, and below it what is wrong with it. */
export function Text({ name, value, put, at, max = 1024, lines, type = 'text', help, hint }: TextProps) {
  const wrong = useWrong(...[at].flat());
  const id = useId();
  const common = { className: 'in', dir: 'auto', value: value ?? '', maxLength: max, placeholder: hint, 'aria-invalid': wrong.length > 0 || undefined, 'aria-describedby': wrong.length > 0 ? id : undefined } as const;
  return (
    <div className="field">
      <label className="field">
        <span className={hint === undefined ? 'lb' : 'sr'}>{name}</span>
        {lines ? <textarea {...common} rows={lines} onChange={(e) => put(e.target.value)} /> : <input {...common} type={type} onChange={(e) => put(e.target.value)} />}
        {help && <span className="help">{help}</span>}
      </label>
      {wrong.length > 0 && (
        <span className="help err" id={id}>
          {wrong.join(' ')}
        </span>
      )}
    </div>
  );
}

type Place = NonNullable<Part['location']>;

/** PlaceForm fills in a place of the world. */
export function PlaceForm({ at, put }: { at: Place; put: (l: Place) => void }) {
  const degrees = (name: string, key: 'latitude' | 'longitude', most: number) => (
    <label className="field">
      <span className="lb">{name}</span>
      <input
        className="in"
        type="number"
        step="any"
        min={-most}
        max={most}
        value={at[key] ?? ''}
        onChange={(e) => put({ ...at, [key]: Number.isNaN(e.target.valueAsNumber) ? undefined : e.target.valueAsNumber })}
        onPaste={(e) => {
          // Maps give both at once.
          const both = /^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(e.clipboardData.getData('text'));
          if (!both) return;
          e.preventDefault();
          put({ ...at, latitude: Number(both[1]), longitude: Number(both[2]) });
        }}
      />
    </label>
  );
  return (
    <>
      <div className="two">
        {degrees(i18n._('Latitude'), 'latitude', 90)}
        {degrees(i18n._('Longitude'), 'longitude', 180)}
      </div>
      <p className="help">{i18n._('A pair that was copied from a map can be pasted into one of them.')}</p>
      <Text name={i18n._('Name')} value={at.name} put={(name) => put({ ...at, name })} />
      <Text name={i18n._('Address')} value={at.address} put={(address) => put({ ...at, address })} />
    </>
  );
}

/** More adds one to a list. */
export function More({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className="btn link t2 self-start" onClick={onClick}>
      <Icon name="plus" small /> {children}
    </button>
  );
}

/** Less takes one out of a list. */
export function Less({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" className="ib s" aria-label={i18n._('Remove {name}', { name: what })} title={i18n._('Remove')} onClick={onClick}>
      <Icon name="x" small />
    </button>
  );
}
