import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Contact, type Conversation, data, type Schemas } from '../../../api/client';
import { contact as contactQuery, contactConversations, me } from '../../../api/queries';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { Trouble } from '../../../parts/Note';
import { full, short } from '../../../parts/time';
import { oneLine } from '../../../parts/plain';
import { worded } from '../../../parts/words';
import type { Actions } from '../talk/actions';
import { Tags } from './Tags';

type Patch = Schemas['ContactPatch'];

/** ContactPane is who the person is: what is known of them can be changed here, and is saved when a field is left. */
export function ContactPane({ conversation: c, actions, open, onClose }: { conversation: Conversation; actions: Actions; open: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const { data: caller } = useQuery(me);
  const { data: contact, error, refetch } = useQuery(contactQuery(c.contact.id));
  const patch = useMutation({
    mutationFn: (body: Patch) => data(api.PATCH('/v1/contacts/{id}', { params: { path: { id: c.contact.id } }, body })),
    onSuccess: (now) => {
      cache.setQueryData(['contact', c.contact.id], now);
      void cache.invalidateQueries({ queryKey: ['conversation', c.id] });
      void cache.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
  const may = caller?.permissions.includes('contacts.write') ?? false;
  const fields = Object.entries((contact?.custom_fields ?? {}) as Record<string, unknown>).filter(([, v]) => typeof v === 'string' || typeof v === 'number');
  return (
    <aside className={`det${open ? ' open' : ''}`} aria-label={i18n._('Contact details')}>
      <header className="row dhead">
        <h2 className="b">{i18n._('Contact')}</h2>
        <span className="sp" />
        <button type="button" className="ib cls" aria-label={i18n._('Close the contact details')} title={i18n._('Close')} onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      <div className="dscroll" tabIndex={0} role="group" aria-label={i18n._('Contact details')}>
        {error && !contact && <Trouble error={error} again={() => void refetch()} />}
        <div className="dwho">
          <Avatar id={c.contact.id} name={c.contact.name} size="lg" />
          <b className="t5">
            <bdi>{c.contact.name || c.peer}</bdi>
          </b>
          {contact?.blocked && (
            <span className="chip bad">
              <Icon name="shield" small /> {i18n._('Blocked')}
            </span>
          )}
        </div>
        {contact && (
          <section className="dsec">
            <h2>
              {i18n._('Details')}
              <span className="end t2 faint">{patch.isPending ? i18n._('saving') : patch.isSuccess ? i18n._('saved') : may ? i18n._('saved when you leave a field') : ''}</span>
            </h2>
            {patch.isError && (
              <p className="t2 er" role="alert">
                {worded(patch.error)}
              </p>
            )}
            <Field name={i18n._('Name')} value={contact.name} max={256} may={may} type="text" write={(v) => patch.mutateAsync({ name: v })} />
            <Field name={i18n._('Phone')} value={contact.phone ?? ''} max={64} may={may} type="tel" write={(v) => patch.mutateAsync({ phone: v })} />
            <Field name={i18n._('Email')} value={contact.email ?? ''} max={254} may={may} type="email" write={(v) => patch.mutateAsync({ email: v })} />
            {fields.map(([key, value]) => (
              <Field key={key} name={key} value={String(value)} max={1024} may={may} type="text" write={(v) => patch.mutateAsync({ custom_fields: { [key]: v } })} />
            ))}
          </section>
        )}
        <section className="dsec">
          <h2>{i18n._('Tags of the conversation')}</h2>
          <Tags tags={c.tags} onChange={(tags) => actions.tag(i18n._('Change the tags'), tags)} />
        </section>
        {contact && <Reach contact={contact} />}
        <Conversations of={c} />
        {contact && may && (
          <section className="dsec">
            <button type="button" className="btn s ghost" onClick={() => patch.mutate({ blocked: !contact.blocked })}>
              <Icon name="shield" small />
              {contact.blocked ? i18n._('Unblock the contact') : i18n._('Block the contact')}
            </button>
          </section>
        )}
      </div>
    </aside>
  );
}

/** Field is saved when it is left or with Enter; Esc takes the change back; what the server refuses stays in it, with the reason. */
function Field({ name, value, max, may, type, write }: { name: string; value: string; max: number; may: boolean; type: 'text' | 'tel' | 'email'; write: (v: string | null) => Promise<unknown> }) {
  const [typed, setTyped] = useState<string>();
  const [bad, setBad] = useState(false);
  const shown = typed ?? value;
  const save = async () => {
    if (typed === undefined || typed.trim() === value) {
      setTyped(undefined);
      setBad(false);
      return;
    }
    try {
      await write(typed.trim() || null);
      setTyped(undefined);
      setBad(false);
    } catch {
      setBad(true);
    }
  };
  return (
    <label className="edf">
      <span className="cut" title={name}>
        {name}
      </span>
      <input
        className="ed"
        dir="auto"
        type={type}
        value={shown}
        maxLength={max}
        readOnly={!may}
        placeholder={may ? i18n._('Add') : '–'}
        aria-invalid={bad || undefined}
        onChange={(e) => setTyped(e.target.value)}
        onBlur={() => void save()}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && !e.nativeEvent.isComposing) e.currentTarget.blur();
          if (e.key === 'Escape') {
            setTyped(undefined);
            setBad(false);
          }
        }}
      />
    </label>
  );
}

function Reach({ contact }: { contact: Contact }) {
  if (contact.identities.length === 0) return null;
  return (
    <section className="dsec">
      <h2>{i18n._('Reachable on')}</h2>
      <ul>
        {contact.identities.map((i, n) => {
          const ch = i.channel as { type?: string; name?: string } | undefined;
          return (
            <li key={n} className="idn">
              <ChannelGlyph type={ch?.type ?? 'custom'} />
              <bdi className="cut sp">{ch?.name}</bdi>
              <bdi className="t2 faint cut" title={i.peer}>
                {i.unreachable ? i18n._('unreachable: {why}', { why: i.unreachable }) : (i.username ?? i.phone ?? i.display)}
              </bdi>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Conversations({ of }: { of: Conversation }) {
  const { data: list } = useQuery(contactConversations(of.contact.id));
  if (!list || list.data.length === 0) return null;
  return (
    <section className="dsec">
      <h2>
        {i18n._('Conversations')}
        <span className="badge end">{list.has_more ? `${list.data.length}+` : list.data.length}</span>
      </h2>
      {list.data.map((c) => (
        <Link key={c.id} to="/inbox/$id" params={{ id: c.id }} search={true} className="cvl" aria-current={c.id === of.id ? 'page' : undefined}>
          <span className={`dot${c.status === 'open' ? ' acc' : ''}`} />
          <bdi className="cut sp">{oneLine(c.last_message?.text ?? '') || c.channel.name}</bdi>
          <time className="t2 faint nw" dateTime={c.opened_at} title={full(c.opened_at)}>
            {short(c.last_message?.at ?? c.opened_at)}
          </time>
        </Link>
      ))}
    </section>
  );
}
