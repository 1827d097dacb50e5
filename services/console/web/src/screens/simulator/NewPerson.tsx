import { useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Dialog } from '../../parts/Dialog';
import type { Person } from './people';

/** NewPerson asks who else is to be played. */
export function NewPerson({ type, onClose, onDone }: { type: string; onClose: () => void; onDone: (p: Person) => void }) {
  const [from, setFrom] = useState('');
  const [name, setName] = useState('');
  const [owner, setOwner] = useState(false);
  const [post, setPost] = useState('');
  const wrong = from !== '' && (type === 'whatsapp' ? !/^(\+?\d{6,15}|[A-Z]{2}\.\w+)$/.test(from) : type === 'telegram' ? !/^\+?\d{1,19}$/.test(from) : false);
  const ready = from !== '' && name.trim() !== '' && !wrong;
  return (
    <Dialog
      open
      title={i18n._('Somebody else')}
      onClose={onClose}
      footer={
        <button type="submit" form="newperson" className="btn pri" aria-disabled={!ready}>
          {i18n._('Write as them')}
        </button>
      }
    >
      <form
        id="newperson"
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (ready) onDone({ from, name: name.trim(), ...(owner && { business: 'simulated' }), ...(post && { post }) });
        }}
      >
        <label className="field">
          <span className="lb">{i18n._('Number or id')}</span>
          <input className="in" dir="ltr" value={from} maxLength={256} aria-invalid={wrong} aria-describedby="fromhelp" onChange={(e) => setFrom(e.target.value.trim())} />
        </label>
        <p id="fromhelp" className={wrong ? 'help err' : 'help'}>
          {type === 'whatsapp' ? i18n._('A phone number in international form: +4915112345678') : type === 'telegram' ? i18n._('The number of a Telegram user: 3527065') : i18n._('Any name: the provider’s id is made of it')}
        </p>
        <label className="field">
          <span className="lb">{i18n._('Name')}</span>
          <input className="in" dir="auto" value={name} maxLength={128} onChange={(e) => setName(e.target.value)} />
        </label>
        {(type === 'facebook' || type === 'instagram') && (
          <label className="field">
            <span className="lb">{i18n._('Post')}</span>
            <input className="in" dir="ltr" value={post} maxLength={128} inputMode="numeric" aria-describedby="posthelp" onChange={(e) => setPost(e.target.value.trim())} />
            <span id="posthelp" className="help">
              {i18n._('With the number of a post, any, what they write is a comment below it')}
            </span>
          </label>
        )}
        {type === 'telegram' && (
          <label className="row">
            <input className="cb" type="checkbox" checked={owner} onChange={(e) => setOwner(e.target.checked)} />
            <span>{i18n._('Writes to the owner of a business account, not to the bot: there deletions are told, too')}</span>
          </label>
        )}
      </form>
    </Dialog>
  );
}
