// Store keeps values in localStorage under a prefix, and in memory what a browser does not let it keep: storage that is
// disabled, full or broken costs what outlasts the page, never the chat.
export class Store {
  constructor(prefix) {
    this.prefix = prefix
    this.memory = new Map()
  }

  // read returns the value of key, or otherwise if there is none or it is not JSON.
  read(key, otherwise = null) {
    if (this.memory.has(key)) return this.memory.get(key)
    try { return JSON.parse(this.raw(key)) ?? otherwise } catch { return otherwise }
  }

  // raw returns the text behind key in localStorage, null if there is none.
  raw(key) {
    try { return localStorage.getItem(this.prefix + key) } catch { return null }
  }

  // write keeps value, and reports whether it outlasts the page.
  write(key, value) {
    try {
      localStorage.setItem(this.prefix + key, JSON.stringify(value))
      this.memory.delete(key)
      return true
    } catch {
      this.memory.set(key, value)
      return false
    }
  }

  remove(key) {
    this.memory.delete(key)
    try { localStorage.removeItem(this.prefix + key) } catch { /* nothing is kept there */ }
  }

  // keys returns the keys that begin with start, of this page and of the others of this browser.
  keys(start = '') {
    const found = new Set([...this.memory.keys()])
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const name = localStorage.key(i)
        if (name?.startsWith(this.prefix)) found.add(name.slice(this.prefix.length))
      }
    } catch { /* nothing is kept there */ }
    return [...found].filter(key => key.startsWith(start))
  }

  // clear removes everything under the prefix but the lock, which may be another tab's.
  clear() {
    const keys = new Set([...this.keys(), 'visitor', 'secret', 'form', 'outbox'])
    for (const key of keys) if (key !== 'lock') this.remove(key)
  }
}

// newID returns a random id. crypto.randomUUID is there in secure contexts only.
export function newID() {
  if (crypto.randomUUID) return crypto.randomUUID()
  return [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
}
