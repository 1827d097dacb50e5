// The few things of a browser that the widget's client asks for, for tests in Node.

// browser makes them anew, with or without Web Locks, and returns what tests look into.
export function browser({ locks = false } = {}) {
  const storage = new Storage(), page = new EventTarget()
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  define('localStorage', storage)
  define('document', Object.assign(new EventTarget(), { hidden: false }))
  define('navigator', { language: 'en', locks: locks ? new Locks() : undefined })
  define('addEventListener', page.addEventListener.bind(page))
  return { storage, page, fire: (type, more) => page.dispatchEvent(Object.assign(new Event(type), more)) }
}

class Storage {
  #items = new Map()
  get length() { return this.#items.size }
  key(i) { return [...this.#items.keys()][i] ?? null }
  getItem(key) { return this.#items.get(key) ?? null }
  setItem(key, value) { this.#items.set(key, String(value)) }
  removeItem(key) { this.#items.delete(key) }
}

// Locks are exclusive Web Locks (https://w3c.github.io/web-locks/).
class Locks {
  #queue = Promise.resolve()
  request(name, { signal }, work) {
    const turn = this.#queue
    let release
    this.#queue = new Promise(done => { release = done })
    return new Promise((resolve, reject) => {
      let has = false
      signal.addEventListener('abort', () => { if (!has) { turn.then(release); reject(new DOMException('aborted', 'AbortError')) } })
      turn.then(async () => {
        if (signal.aborted) return
        has = true
        try { resolve(await work()) } catch (e) { reject(e) } finally { release() }
      })
    })
  }
}

// settled resolves when everything that waits for nothing outside has been done.
export async function settled() {
  for (let i = 0; i < 20; i++) await new Promise(done => setImmediate(done))
}
