/** keep writes a value for as long as the tab lives. A storage that is full or off loses nothing that is still on the page. */
export function keep(key: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The page itself still has it.
  }
}

/** kept reads what keep wrote; undefined if there is nothing that can be read. */
export function kept<T>(key: string): T | undefined {
  try {
    const text = sessionStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

const owner = 'owner';
const forgetting = new Set<() => void>();

/** onForget calls f when what is kept is somebody else's from now on: whatever came from there is to be dropped. */
export function onForget(f: () => void): void {
  forgetting.add(f);
}

/**
 * keepFor says who is signed in. What somebody else typed in this tab, or had not sent yet, is not shown to them and does not go out in
 * their name.
 */
export function keepFor(id: string): void {
  const before = kept<string>(owner);
  if (before === id) return;
  if (before !== undefined) {
    sessionStorage.clear();
    for (const f of forgetting) f();
  }
  keep(owner, id);
}
