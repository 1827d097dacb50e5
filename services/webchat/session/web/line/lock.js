import { newID } from './store.js'

const holdFor = 10_000 // ms that a lock in storage lasts without being renewed: its tab may be gone
const settleFor = 60 // ms after which other tabs see what was written

// exclusively runs work while no other tab of this browser runs work under the same name; whoever has waited for
// patience ms goes ahead. It uses Web Locks, and a key of storage where a browser has none (they need a secure
// context).
export async function exclusively(store, name, signal, work, patience = holdFor) {
  const waiting = new AbortController()
  const stop = () => waiting.abort()
  const timer = setTimeout(stop, patience)
  signal.addEventListener('abort', stop, { once: true })
  const begun = () => { clearTimeout(timer); signal.throwIfAborted() }
  try {
    if (globalThis.navigator?.locks) return await byWebLock(store.prefix + name, waiting.signal, begun, work)
    return await byStorage(store, name, waiting.signal, begun, work)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function byWebLock(name, waiting, begun, work) {
  let has = false
  try {
    return await navigator.locks.request(name, { signal: waiting }, () => { has = true; begun(); return work() })
  } catch (e) {
    if (has || e.name !== 'AbortError') throw e
  }
  begun()
  return work()
}

async function byStorage(store, name, waiting, begun, work) {
  const me = newID()
  const claim = () => store.write(name, { me, until: Date.now() + holdFor })
  while (!waiting.aborted) {
    const holder = store.read(name)
    if (isHeld(holder) && holder.me !== me) {
      await new Promise(done => setTimeout(done, settleFor))
      continue
    }
    if (!claim()) break // no other tab sees it
    await new Promise(done => setTimeout(done, settleFor + Math.random() * settleFor))
    if (store.read(name)?.me === me) break
  }
  begun()
  const renewing = setInterval(claim, holdFor / 3)
  try {
    return await work()
  } finally {
    clearInterval(renewing)
    if (store.read(name)?.me === me) store.remove(name)
  }
}

// isHeld reports whether a claim is still good. One that ends later than any claim can was made before the clock was
// set back.
function isHeld(claim) {
  return typeof claim?.me === 'string' && claim.until > Date.now() && claim.until <= Date.now() + holdFor
}
