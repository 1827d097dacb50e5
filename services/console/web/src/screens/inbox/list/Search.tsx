import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Contact, data } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { Icon } from '../../../parts/Icon';
import { worded } from '../../../parts/words';

/** criterion is how the API finds contacts by what was typed: by a whole phone number or a whole email address. */
export function criterion(typed: string): { email: string } | { phone: string } | undefined {
  const text = typed.trim();
  if (/^\S+@\S+\.\S+$/.test(text)) return { email: text };
  const phone = text.replace(/[\s()./-]/g, '').replace(/^00/, '+');
  return /^\+?\d{6,15}$/.test(phone) ? { phone: phone.startsWith('+') ? phone : `+${phone}` } : undefined;
}

/** Search finds people by phone number or email address, and leads to their conversations. */
export function Search({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const by = criterion(typed);
  const found = useQuery({
    queryKey: ['found', by],
    enabled: by !== undefined,
    staleTime: 0,
    queryFn: async () => {
      const { data: contacts } = await data(api.GET('/v1/contacts', { params: { query: { ...by, limit: 20 } } }));
      return Promise.all(
        contacts.map(async (contact) => ({
          contact,
          conversation: contact.open_conversation_ids[0] ?? (await data(api.GET('/v1/contacts/{id}/conversations', { params: { path: { id: contact.id }, query: { limit: 1 } } }))).data[0]?.id,
        })),
      );
    },
  });
  return (
    <search className="srch" aria-label={i18n._('Search')} onKeyDown={(e) => e.key === 'Escape' && onClose()}>
      <div className="row px-3 py-2">
        <label className="search sp">
          <span className="sr">{i18n._('Phone number or email')}</span>
          <Icon name="search" />
          <input className="in" type="search" autoFocus value={typed} maxLength={256} placeholder={i18n._('Phone number or email')} onChange={(e) => setTyped(e.target.value)} />
        </label>
        <button type="button" className="ib" aria-label={i18n._('Close search')} title={i18n._('Close search')} onClick={onClose}>
          <Icon name="x" />
        </button>
      </div>
      <div role="status" className="px-4 t2 faint">
        {typed.trim() === '' && i18n._('A whole number with its country code, or a whole email address.')}
        {typed.trim() !== '' && !by && i18n._('Go on: a whole number, or a whole email address.')}
        {found.isError && <span className="er">{worded(found.error)}</span>}
        {found.data?.length === 0 && i18n._('Nobody has this number or address.')}
      </div>
      {found.data && found.data.length > 0 && <Hits hits={found.data} />}
    </search>
  );
}

function Hits({ hits }: { hits: { contact: Contact; conversation?: string }[] }) {
  return (
    <ul className="hits">
      {hits.map(({ contact: c, conversation }) => {
        const body = (
          <>
            <Avatar id={c.id} name={c.name} size="md" />
            <span className="sp min-w-0">
              <b className="block cut">
                <bdi>{c.name}</bdi>
              </b>
              <bdi className="block cut dim t2">{[c.phone, c.email].filter(Boolean).join(' · ')}</bdi>
            </span>
          </>
        );
        return (
          <li key={c.id}>
            {conversation ? (
              <Link className="hitrow" to="/inbox/$id" params={{ id: conversation }} search={true}>
                {body}
              </Link>
            ) : (
              <span className="hitrow">{body}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
