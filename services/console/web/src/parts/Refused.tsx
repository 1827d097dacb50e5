import { useEffect, useRef, useState } from 'react';
import { type Fault, faultOf } from '../api/fault';
import { i18n } from '../locales/i18n';
import { copy } from './copy';
import { Note } from './Note';
import { worded } from './words';

// Where the server does not say after how long it wants to be asked again, in seconds.
const usual = 5;

/** Refused says what a call that failed means. One that may pass is made again by itself, unchanged. */
export function Refused({ error, again }: { error: unknown; again?: () => void }) {
  const fault = faultOf(error);
  return (
    <Note tone={fault.passing ? 'warn' : 'bad'} icon="alert" role="alert">
      {worded(fault)} <Again fault={fault} go={again} />
    </Note>
  );
}

/** Again counts down to the next try of a call that may pass, and makes it; the id of a call that will not leads to the log. */
export function Again({ fault, go }: { fault: Fault; go: (() => void) | undefined }) {
  const passing = fault.passing && fault.status !== 401 && go !== undefined;
  const [left, setLeft] = useState(0);
  const run = useRef(go);
  run.current = go;
  useEffect(() => {
    if (!passing) return;
    let seconds = Math.ceil(fault.after ?? usual);
    setLeft(seconds);
    const tick = setInterval(() => {
      seconds -= 1;
      setLeft(seconds);
      if (seconds > 0) return;
      clearInterval(tick);
      run.current?.();
    }, 1000);
    return () => clearInterval(tick);
  }, [fault, passing]);
  const id = fault.problem.request_id;
  return (
    <>
      {passing && left > 0 && <span aria-hidden="true">{i18n._('Again in {n} s.', { n: left })} </span>}
      {passing && (
        <button type="button" className="btn link" onClick={() => run.current?.()}>
          {i18n._('Now')}
        </button>
      )}
      {id && fault.status >= 429 && (
        <button type="button" className="btn link" onClick={() => void copy(id)}>
          {i18n._('Copy request id')}
        </button>
      )}
    </>
  );
}
