import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { api, data } from '../../api/client';
import { type Fault, faultOf } from '../../api/fault';
import { i18n } from '../../locales/i18n';
import { Icon, Mark } from '../../parts/Icon';
import { Note } from '../../parts/Note';
import { worded } from '../../parts/words';
import { switchTheme } from '../../shell/theme';

const route = getRouteApi('/signin');

/** SignIn makes a session, which the browser keeps in a cookie that no script can read, and goes back to where one was. */
export function SignIn() {
  const { to, ended } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [seen, setSeen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const wrong = fault?.status === 401;
  useEffect(() => {
    document.title = i18n._('Sign in · Tributary');
  }, []);

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault(undefined);
    try {
      await data(api.POST('/v1/auth/login', { body: { email: email.trim(), password, cookie: true } }));
      cache.clear();
      router.history.replace(to ?? '/inbox');
    } catch (error) {
      setFault(faultOf(error));
      setBusy(false);
    }
  };
  return (
    <main className="si" id="main">
      <section className="l">
        <div className="box">
          <span className="text-accent">
            <Mark />
          </span>
          <h1>{i18n._('Sign in to Tributary')}</h1>
          {ended && (
            <Note tone="acc" icon="clock" className="mt-4">
              <b>{i18n._('Your session has ended.')}</b> {i18n._('What you typed is kept in this tab.')}
            </Note>
          )}
          <form className="stack mt-6 gap-4" aria-label={i18n._('Sign in')} onSubmit={(e) => void submit(e)}>
            <label className="field">
              <span className="lb">{i18n._('Email')}</span>
              <input className="in" type="email" name="email" autoComplete="username" required maxLength={254} autoFocus value={email} onChange={(e) => setEmail(e.target.value)} aria-invalid={wrong || undefined} />
            </label>
            <div className="field">
              <label className="lb" htmlFor="password">
                {i18n._('Password')}
              </label>
              <span className="row relative">
                <input
                  id="password"
                  className="in"
                  type={seen ? 'text' : 'password'}
                  name="password"
                  autoComplete="current-password"
                  required
                  maxLength={1024}
                  value={password}
                  onChange={(e) => setPassword(e.target.value)}
                  aria-invalid={wrong || undefined}
                  aria-describedby={fault ? 'fault' : undefined}
                />
                <button type="button" className="ib s absolute end-1" aria-pressed={seen} aria-label={i18n._('Show password')} title={i18n._('Show password')} onClick={() => setSeen(!seen)}>
                  <Icon name={seen ? 'eyeoff' : 'eye'} />
                </button>
              </span>
              {fault && (
                <p className="help err" id="fault" role="alert">
                  <Icon name="alert" small /> {wrong ? i18n._('Email or password is wrong.') : worded(fault)}
                </p>
              )}
            </div>
            <button type="submit" className="btn pri" aria-disabled={busy}>
              {busy ? i18n._('Signing in…') : i18n._('Sign in')}
            </button>
          </form>
        </div>
        <footer className="row wrap t2 faint">
          <button type="button" className="ib" aria-label={i18n._('Dark or light')} title={i18n._('Dark or light')} onClick={switchTheme}>
            <Icon name="sun" />
          </button>
          <span className="end">{i18n._('Tributary, open source')}</span>
        </footer>
      </section>
      <aside className="r">
        <River />
        <p>
          {i18n._('Eleven channels.')}
          <br />
          {i18n._('One conversation.')}
        </p>
      </aside>
    </main>
  );
}

function River() {
  return (
    <svg className="riv" viewBox="0 0 600 900" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <g fill="none" strokeLinecap="round">
        <g stroke="var(--c-soft)">
          <path d="M-20 60C140 190 250 210 300 420s-10 320 20 520" strokeWidth="26" />
          <path d="M620 20C520 160 380 180 306 430" strokeWidth="18" />
          <path d="M180-20c10 150 70 260 118 430" strokeWidth="9" />
          <path d="M-20 330c130 10 230 70 334 230" strokeWidth="12" />
          <path d="M620 360c-130-10-210 70-308 180" strokeWidth="8" />
        </g>
        <g stroke="var(--accent)">
          <path d="M-20 60C140 190 250 210 300 420s-10 320 20 520" strokeWidth="3" opacity=".8" />
          <path d="M620 20C520 160 380 180 306 430" strokeWidth="2" opacity=".55" />
          <path d="M-20 330c130 10 230 70 334 230" strokeWidth="1.5" opacity=".55" />
        </g>
      </g>
    </svg>
  );
}
