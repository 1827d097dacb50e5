import { newID } from './store.js'

// maxFrame is the number of bytes that the server takes as one frame.
export const maxFrame = 16 << 10

const kinds = ['message', 'postback', 'form']

// frameSize returns the bytes of a frame as it is sent.
export const frameSize = frame => new TextEncoder().encode(JSON.stringify(frame)).length

// Outbox holds what was not acknowledged yet, in order. Every frame is a storage key of its own, so that tabs never
// overwrite each other's. A frame belongs to the person who said it: owner is '' for a browser that has proved nothing,
// and what it said goes along when it proves who it is.
export class Outbox {
  constructor(store, owner = '') {
    this.store = store
    this.owner = owner
    this.frames = new Map() // by clientId
    this.last = 0
    for (const e of [...this.upgrade(), ...this.entries()]) this.adopt(e)
  }

  get size() { return this.frames.size }
  values() { return this.frames.values() }
  first() { return this.frames.values().next().value }

  // entries reads what is stored, in the order in which it was said. What is damaged is dropped with a warning.
  entries() {
    const found = []
    for (const key of this.store.keys('out.')) {
      const e = this.store.read(key)
      if (isEntry(e) && key === `out.${e.frame.clientId}`) found.push(e)
      else this.drop(key)
    }
    return found.sort((a, b) => a.at - b.at)
  }

  drop(key) {
    console.warn(`Tributary: an unsent message (${key.slice(0, 50)}) is damaged and was dropped.`)
    this.store.remove(key)
  }

  adopt({ at, owner, frame }) {
    if (owner && owner !== this.owner) return // it waits for its own person
    this.last = Math.max(this.last, at)
    this.frames.set(frame.clientId, frame)
    if (owner !== this.owner) this.keep(at, frame)
  }

  keep(at, frame) { return this.store.write(`out.${frame.clientId}`, { at, owner: this.owner, frame }) }

  // upgrade takes over the one list that the first versions kept.
  upgrade() {
    if (this.store.raw('outbox') === null) return []
    const list = this.store.read('outbox')
    const found = (Array.isArray(list) ? list : [list]).map((frame, at) => ({ at, owner: '', frame }))
    const whole = found.filter(isEntry)
    for (const e of whole) this.store.write(`out.${e.frame.clientId}`, e)
    if (whole.length < found.length) this.drop('outbox')
    this.store.remove('outbox')
    return whole
  }

  // add gives frame a clientId and a place at the end. A frame that the server would never take is refused.
  add(frame) {
    const f = { clientId: newID(), ...frame }
    if (frameSize(f) > maxFrame) throw new RangeError(`A message has at most ${maxFrame} bytes; send it in parts.`)
    this.last = Math.max(this.last + 1, Date.now()) // the clock may step back
    this.frames.set(f.clientId, f)
    if (!this.keep(this.last, f)) console.warn('Tributary: this browser keeps no unsent messages; leave the page open.')
    return f
  }

  // settle forgets a frame, and reports whether it was there.
  settle(clientId) {
    if (!this.frames.delete(clientId)) return false
    this.store.remove(`out.${clientId}`)
    return true
  }

  clear() { for (const id of [...this.frames.keys()]) this.settle(id) }
}

function isEntry(e) {
  const f = e?.frame
  return typeof f === 'object' && f !== null && !Array.isArray(f) &&
    typeof f.clientId === 'string' && f.clientId !== '' &&
    f.clientId.length <= 100 && kinds.includes(f.t) && Number.isFinite(e.at) && typeof e.owner === 'string' &&
    frameSize(f) <= maxFrame
}
