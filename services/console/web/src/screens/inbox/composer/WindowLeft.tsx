import { useEffect, useState } from 'react';
import type { Window } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';
import { full, span } from '../../../parts/time';

/** WindowLeft says for how long, and how often, the business may still write. */
export function WindowLeft({ window: w }: { window: Window }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000);
    return () => clearInterval(timer);
  }, []);
  if (w.state === 'none') return <span className="win t2 end">{i18n._('any time')}</span>;
  const left = w.expires_at ? Date.parse(w.expires_at) - now : undefined;
  const times = w.remaining_messages != null ? i18n._('{n, plural, one {# message left} other {# messages left}}', { n: w.remaining_messages }) : '';
  const time = left === undefined ? '' : left > 0 ? i18n._('{time} left', { time: span(left) }) : i18n._('closed');
  return (
    <span className={`win t2 end row${w.state !== 'open' ? ' wn' : ''}`} title={w.expires_at ? full(w.expires_at) : undefined}>
      <Icon name="clock" small />
      <span>{[time, times].filter(Boolean).join(' · ') || (w.state === 'expired' ? i18n._('closed') : i18n._('open'))}</span>
    </span>
  );
}
