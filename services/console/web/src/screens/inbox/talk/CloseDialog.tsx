import { useState } from 'react';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';

/** CloseDialog asks what it was about. */
export default function CloseDialog({ required, onClose, onDone }: { required: boolean; onClose: () => void; onDone: (note: { category?: string; summary?: string }) => void }) {
  const [category, setCategory] = useState('');
  const [summary, setSummary] = useState('');
  const ready = !required || (category.trim() && summary.trim());
  return (
    <Dialog
      open
      title={i18n._('Close the conversation')}
      onClose={onClose}
      footer={
        <button type="submit" form="closenote" className="btn pri" aria-disabled={!ready}>
          {i18n._('Close')}
        </button>
      }
    >
      <form
        id="closenote"
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (ready) onDone({ ...(category.trim() && { category: category.trim() }), ...(summary.trim() && { summary: summary.trim() }) });
        }}
      >
        <label className="field">
          <span className="lb">{i18n._('Category')}</span>
          <input className="in" value={category} maxLength={128} onChange={(e) => setCategory(e.target.value)} />
        </label>
        <label className="field">
          <span className="lb">{i18n._('Summary')}</span>
          <textarea className="in" value={summary} maxLength={512} rows={3} onChange={(e) => setSummary(e.target.value)} />
        </label>
      </form>
    </Dialog>
  );
}
