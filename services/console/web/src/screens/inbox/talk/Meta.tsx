import { useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { exact, full } from '../../../parts/time';
import { reason, sentVia, type StatusError, statusName } from './status';

/** Meta is the card of a message: who sent it, through what, every status with its time, and what the channel said went wrong. */
export function Meta({ message: m }: { message: Message }) {
  const card = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(false);
  // It opens above the message unless there is no room.
  useLayoutEffect(() => {
    const box = card.current?.closest('.scroll')?.getBoundingClientRect();
    const own = card.current?.getBoundingClientRect();
    if (box && own && own.top < box.top) setBelow(true);
  }, []);
  const rows: [string, string, string?][] = [
    [i18n._('From'), m.sender.name || i18n._('Unknown')],
    [i18n._('Sent via'), sentVia(m)],
  ];
  if (m.direction === 'inbound') {
    if (m.provider_at) rows.push([i18n._('Sent'), exact(m.provider_at), full(m.provider_at)]);
    rows.push([i18n._('Received'), exact(m.created_at), full(m.created_at)]);
  }
  if (m.message_tag) rows.push([i18n._('Tag'), m.message_tag]);
  for (const s of m.statuses) rows.push([statusName(s.status), exact(s.at), full(s.at)]);
  const error = m.statuses.findLast((s) => s.error)?.error as StatusError | undefined;
  const id = m.external_ids[0];
  return (
    <div className={`meta open${below ? ' dn' : ''}`} ref={card} role="tooltip">
      <dl className="dl">
        {rows.map(([name, value, title], n) => (
          <div key={n} className="contents">
            <dt>{name}</dt>
            <dd title={title}>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
        {id && (
          <>
            <dt>{i18n._('Provider id')}</dt>
            <dd className="cut mono" title={id}>
              {id}
            </dd>
          </>
        )}
      </dl>
      {error && (m.status === 'failed' || m.status === 'unknown') && (
        <p className="er mt-2">
          “<bdi>{reason(error)}</bdi>”
        </p>
      )}
      {m.attempts.length > 1 && <p className="faint mt-2">{i18n._('{n, plural, one {# delivery attempt} other {# delivery attempts}}', { n: m.attempts.length })}</p>}
    </div>
  );
}
