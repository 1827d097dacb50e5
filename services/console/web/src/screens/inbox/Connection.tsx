import { useEffect, useState } from 'react';
import { useConnection, useLater } from '../../live/live';
import { i18n } from '../../locales/i18n';
import { Icon } from '../../parts/Icon';
import { worded } from '../../parts/words';

// A cut that heals within this time is not worth a word.
const patience = 4_000;

/** Connection says that the stream is cut, and what that means; and that everything was read anew after a long sleep. */
export function Connection() {
  const { connection, caughtUp, again } = useConnection();
  const cut = useLater(connection.state !== 'live' && connection.state !== 'ended', patience);
  const [read, setRead] = useState(0);
  return (
    <div role="status">
      {cut && (
        <div className={`banner ${navigator.onLine ? 'warn' : 'bad'}`}>
          <Icon name="zap" />
          <span className="sp">
            {!navigator.onLine ? (
              <>
                <b>{i18n._('You are offline.')}</b> {i18n._('What you send waits, and leaves by itself.')}
              </>
            ) : (
              <>
                <b>{i18n._('Reconnecting…')}</b> {connection.state === 'waiting' && connection.fault.status === 429 && `${worded(connection.fault)} `}
                {connection.state === 'waiting' && <Countdown at={connection.at} />} {i18n._('You can go on writing.')}
              </>
            )}
          </span>
          <button type="button" className="btn s" onClick={again}>
            {i18n._('Now')}
          </button>
        </div>
      )}
      {!cut && caughtUp > read && (
        <div className="banner acc">
          <Icon name="check" />
          <span className="sp">
            <b>{i18n._('Caught up.')}</b> {i18n._('Everything was read anew; your place and what you typed stayed.')}
          </span>
          <button type="button" className="btn s" onClick={() => setRead(caughtUp)}>
            {i18n._('Dismiss')}
          </button>
        </div>
      )}
    </div>
  );
}

function Countdown({ at }: { at: number }) {
  const [left, setLeft] = useState(() => at - Date.now());
  useEffect(() => {
    const timer = setInterval(() => setLeft(at - Date.now()), 1000);
    return () => clearInterval(timer);
  }, [at]);
  return i18n._('Next try in {n} s.', { n: Math.max(0, Math.ceil(left / 1000)) });
}
