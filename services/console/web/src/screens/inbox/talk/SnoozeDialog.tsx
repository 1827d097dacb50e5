import { useState } from 'react';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { local } from './snoozes';

/** SnoozeDialog asks for a day and a time. */
export default function SnoozeDialog({ onClose, onDone }: { onClose: () => void; onDone: (until: Date) => void }) {
  const [at, setAt] = useState(() => local(new Date(Date.now() + 3_600_000)));
  const until = new Date(at);
  const ready = until.getTime() > Date.now();
  return (
    <Dialog
      open
      title={i18n._('Snooze until')}
      onClose={onClose}
      footer={
        <button type="submit" form="snooze" className="btn pri" aria-disabled={!ready}>
          {i18n._('Snooze')}
        </button>
      }
    >
      <form
        id="snooze"
        onSubmit={(e) => {
          e.preventDefault();
          if (ready) onDone(until);
        }}
      >
        <label className="field">
          <span className="lb">{i18n._('Day and time')}</span>
          <input className="in" type="datetime-local" required value={at} min={local(new Date())} onChange={(e) => setAt(e.target.value)} aria-invalid={!ready || undefined} />
          {!ready && <span className="help err">{i18n._('Choose a time ahead.')}</span>}
        </label>
      </form>
    </Dialog>
  );
}
