const stored = 'tributary-theme';

export type Theme = 'light' | 'dark';

function wished(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function theme(): Theme {
  const kept = localStorage.getItem(stored);
  return kept === 'light' || kept === 'dark' ? kept : wished();
}

/** applyTheme shows the chosen theme, or the one that the system asks for, also when that changes. */
export function applyTheme(): void {
  const show = () => {
    document.documentElement.dataset['theme'] = theme();
  };
  show();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
}

export function switchTheme(): void {
  const next = theme() === 'dark' ? 'light' : 'dark';
  localStorage.setItem(stored, next);
  document.documentElement.dataset['theme'] = next;
}
