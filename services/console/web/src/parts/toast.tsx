import { useSyncExternalStore } from 'react';
import { i18n } from '../locales/i18n';
import { Icon, type IconName } from './Icon';

interface Toast {
  icon: IconName;
  text: string;
  action?: { label: string; run: () => void };
}

// One at a time; what was not undone after this long stays done.
const shownFor = 8_000;

let now: Toast | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** toast says something that can be undone, or that was not caused here. Errors stand where the problem is, not here. */
export function toast(icon: IconName, text: string, action?: Toast['action']): void {
  show({ icon, text, action });
}

function show(t: Toast | undefined): void {
  clearTimeout(timer);
  now = t;
  if (t) hold(false);
  for (const f of listeners) f();
}

function hold(on: boolean): void {
  clearTimeout(timer);
  if (!on) timer = setTimeout(() => show(undefined), shownFor);
}

export function Toasts() {
  const t = useSyncExternalStore(
    (f) => {
      listeners.add(f);
      return () => listeners.delete(f);
    },
    () => now,
  );
  return (
    <div className="toasts" role="status" onPointerEnter={() => t && hold(true)} onPointerLeave={() => t && hold(false)}>
      {t && (
        <div className="toast">
          <Icon name={t.icon} />
          <span className="sp">{t.text}</span>
          {t.action && (
            <button
              type="button"
              className="btn"
              onClick={() => {
                t.action?.run();
                show(undefined);
              }}
            >
              {t.action.label}
            </button>
          )}
          <button type="button" className="btn" onClick={() => show(undefined)} aria-label={i18n._('Dismiss')}>
            <Icon name="x" small />
          </button>
        </div>
      )}
    </div>
  );
}
