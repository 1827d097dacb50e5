import { Outbox } from './outbox.js'
import { Session } from './session.js'
import { Store } from './store.js'

// Line is what the page sees of the server: who speaks (identity, forget), what is said (send, say), and what comes in
// as events (session, state, reset, message, ack, error, typing, read; cleared: nothing of the former person may be
// shown any more). A page has one Line; it has one session at a time, of one person.
export class Line extends EventTarget {
  constructor(base, channel) {
    super()
    this.base = base
    this.store = new Store(`tributary.${channel}.`)
    this.page = null
    this.become('')
    const pass = type => () => this.session?.dispatch({ type })
    addEventListener('online', pass('online'))
    addEventListener('offline', pass('offline'))
    addEventListener('pageshow', e => { if (e.persisted) this.session?.dispatch({ type: 'visible' }) })
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.session?.dispatch({ type: 'visible' })
    })
    addEventListener('storage', e => this.elsewhere(e))
  }

  // start begins, or begins again as somebody else. page is where the visitor is. It resolves once there is a session,
  // or there will be none.
  start(page) {
    this.session?.end()
    this.page = page
    const session = this.session = new Session({
      base: this.base, store: this.store, outbox: this.outbox, person: this.person, page,
      notify: (kind, detail) => this.handle(kind, detail),
    })
    return session.start()
  }

  // identity is what the next session is to prove. The present one ends: what is said from here on is that person's. A
  // browser that had proved nothing goes on with what it shows.
  get identity() { return this.person.identity }
  set identity(identity) {
    if (!identity) return
    this.session?.end()
    const owner = subject(identity)
    if (this.person.owner && this.person.owner !== owner) this.leave(owner)
    else if (!this.person.owner) this.become(owner, this.person)
    this.person.identity = identity
  }

  become(owner, former) {
    this.outbox = new Outbox(this.store, owner)
    this.person = { token: '', identity: null, mailbox: '', seq: 0, ...former, owner }
  }

  // leave ends everything of the present person; owner is the next.
  leave(owner = '') {
    this.session?.end()
    this.session = null
    this.become(owner)
    this.tell('cleared')
  }

  // forget makes the next visitor of this browser somebody else.
  forget() {
    this.outbox.clear()
    this.store.clear()
    this.leave()
  }

  // elsewhere follows a logout in another tab of this browser.
  elsewhere(e) {
    const about = e.key === null || e.key === `${this.store.prefix}visitor`
    if (!about || e.newValue !== null || !this.session) return
    if (e.key === null && this.store.raw('visitor') !== null) return // another storage was cleared
    this.store.memory.clear()
    this.leave()
    this.start(this.page)
  }

  handle(kind, detail) {
    if (kind !== 'lapsed') return this.tell(kind, detail)
    this.leave()
    this.start(this.page)
  }

  // send says something that has to arrive. It throws a RangeError if that is larger than the server takes.
  send(frame) {
    const f = this.outbox.add(frame)
    this.session?.sender.kick()
    return f
  }

  say(frame) { this.session?.say(frame) }

  // These are calls of the present session: they reject with an AbortError when it ends.
  history(before) { return this.asked(s => s.history(before)) }
  upload(file) { return this.asked(s => s.upload(file)) }
  file(id) { return this.asked(s => s.file(id)) }

  async asked(call) {
    if (!this.session) throw new DOMException('there is no session', 'AbortError')
    return call(this.session)
  }

  tell(kind, detail) { this.dispatchEvent(new CustomEvent(kind, { detail })) }
}

// subject returns whom an identity names, unproved: it only keeps the unsent messages of people apart in this browser.
function subject({ token, identifier }) {
  if (!token) return `user:${identifier}`
  try {
    const claims = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))
    return `user:${JSON.parse(claims).sub}`
  } catch { return 'user:' }
}
