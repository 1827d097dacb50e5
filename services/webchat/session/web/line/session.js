import { initial, next } from './machine.js'
import { Sender } from './sender.js'
import { exclusively } from './lock.js'

const answerFor = 20_000 // ms that the server has to answer
const pollFor = 25 // s that the server holds a poll
const shown = ['message', 'edit', 'delete', 'typing', 'read'] // frames that are handed on as they are

// Failure is an answer that is none of those wished for. status is 0 where there was no answer; after is in ms.
class Failure extends Error {
  constructor(status, problem, after = 0) {
    const detail = problem?.errors?.[0]?.detail || problem?.detail || problem?.title || ''
    super(detail || `HTTP ${status}`)
    Object.assign(this, { status, code: problem?.code, detail, after })
  }
}

// Session is one person's connection to the server. It owns everything asynchronous: sockets, polls, calls, timers.
// end() aborts all of it, and what it was asked before is neither handled nor handed on afterwards.
export class Session {
  // person is {token, owner, identity, mailbox, seq}; it goes on with the next session of the same person. notify(kind,
  // detail) hands on what happens.
  constructor({ base, store, outbox, person, page, notify }) {
    Object.assign(this, { base, store, outbox, person, page })
    this.life = new AbortController()
    this.signal = this.life.signal
    this.notify = (kind, detail) => { if (!this.signal.aborted) notify(kind, detail) }
    this.state = initial
    this.attempt = null // of the machine: the call, poll or socket under way
    this.socket = null
    this.awaited = null // the frame that was said over the socket, and what is to be done with its answer
    this.held = null // frames that come while the history is read anew
    this.timer = 0
    this.sender = new Sender({
      outbox, signal: this.signal,
      deliver: frame => this.deliver(frame), answered: (frame, answer) => this.answered(frame, answer),
    })
    this.begun = new Promise(done => { this.settled = done })
  }

  start() {
    this.dispatch({ type: 'start' })
    return this.begun
  }

  end() {
    this.dispatch({ type: 'end' })
    this.life.abort()
    this.settled()
  }

  // dispatch lets the machine decide what follows from an event.
  dispatch(event) {
    if (this.signal.aborted) return
    const was = this.state.mode
    const { state, effects } = next(this.state, { random: Math.random(), ...event })
    this.state = state
    if (state.mode !== was) clearTimeout(this.timer)
    for (const effect of effects) {
      if (this.signal.aborted) return // a listener has ended this session
      this.perform(effect)
    }
  }

  perform(effect) {
    switch (effect.do) {
      case 'open': return this.run(signal => this.open(signal), 'opened')
      case 'connect': return this.connect()
      case 'poll': return this.run(signal => this.poll(signal), 'polled')
      case 'stop': return this.stop()
      case 'ready': return this.sender.ready()
      case 'ping': return this.transmit({ t: 'ping' })
      case 'tell':
        if (effect.refused) this.settled()
        return this.notify('state', { connected: effect.connected, refused: effect.refused })
      case 'timer':
        clearTimeout(this.timer)
        this.timer = setTimeout(() => this.dispatch({ type: 'timer' }), effect.ms)
    }
  }

  stop() {
    this.sender.pause()
    this.attempt?.abort()
    clearTimeout(this.awaited?.late)
    this.awaited = this.held = null
  }

  // begin makes the signal of a new attempt; there is one at a time.
  begin() {
    this.attempt?.abort()
    const attempt = this.attempt = new AbortController()
    return attempt.signal
  }

  // run carries out one step of the machine and tells it how that ended.
  async run(step, done) {
    const signal = this.begin()
    try {
      await step(signal)
      if (!signal.aborted) this.dispatch({ type: done })
    } catch (e) {
      if (!signal.aborted) this.fail(e)
    }
  }

  fail(e) {
    const status = e.status ?? 0
    if (status === 401) this.dispatch({ type: 'expired' })
    else if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) {
      this.dispatch({ type: 'failed', status, after: e.after })
    } else this.dispatch({ type: 'refused', detail: e.detail })
  }

  // ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  // call returns the JSON of an answer, or rejects with a Failure. It ends with signal, and after answerFor without an
  // answer.
  async call(path, { signal = this.signal, json, form, bare = false, raw = false, wait = answerFor } = {}) {
    const late = new AbortController()
    const abort = () => late.abort()
    const timer = setTimeout(abort, wait)
    for (const s of [signal, this.signal]) s.addEventListener('abort', abort, { once: true })
    try {
      signal.throwIfAborted()
      const headers = {}
      if (json) headers['Content-Type'] = 'application/json'
      if (this.person.token && !bare) headers.Authorization = `Bearer ${this.person.token}`
      const body = json ? JSON.stringify(json) : form
      const answer = await fetch(new URL(path, this.base), {
        method: body ? 'POST' : 'GET', body, headers, credentials: 'omit', signal: late.signal,
      })
      if (!answer.ok) throw new Failure(answer.status, await answer.json().catch(() => null), retryAfter(answer))
      return await (raw ? answer.blob() : answer.json())
    } finally {
      clearTimeout(timer)
      for (const s of [signal, this.signal]) s.removeEventListener('abort', abort)
      this.signal.throwIfAborted()
    }
  }

  // open begins the session, or renews it with its token; a session that proves nobody may begin again without one.
  async open(signal) {
    if (this.person.token && !this.person.identity) {
      try {
        await this.opened(signal, await this.call('sessions', { signal, json: this.opening() }))
        return
      } catch (e) {
        if (e.status !== 401) throw e
        this.person.token = ''
        if (this.person.owner) return this.notify('lapsed') // who it was has to be proved again
      }
    }
    const answer = await exclusively(this.store, 'lock', signal, async () => {
      const s = await this.call('sessions', { signal, bare: true, json: this.opening(true) })
      signal.throwIfAborted()
      if (typeof s?.token !== 'string' || typeof s.visitorId !== 'string') throw new Failure(0)
      if (s.visitorSecret) this.store.write('secret', s.visitorSecret) // given once
      this.store.write('visitor', s.visitorId)
      return s
    })
    await this.opened(signal, answer)
  }

  opening(begins) {
    const body = { locale: navigator.language, page: this.page ?? undefined, visitorId: this.kept('visitor') }
    if (!begins) return body
    return { ...body, visitorSecret: this.kept('secret'), identity: this.person.identity ?? undefined }
  }

  // kept returns what the server once gave us, unless it is damaged.
  kept(key) {
    const text = this.store.read(key)
    return typeof text === 'string' && text.length <= 200 ? text : undefined
  }

  async opened(signal, s) {
    signal.throwIfAborted()
    const person = this.person
    person.token = s.token
    person.identity = null // from here on the token proves it
    this.page = null // named
    this.notify('session', s)
    if (person.mailbox !== s.conversationId) {
      await this.reload(signal)
      person.mailbox = s.conversationId
    }
    this.settled()
  }

  // reload reads the newest part of the history; what comes meanwhile is heard behind it.
  async reload(signal) {
    const held = this.held = []
    const h = await this.history(undefined, signal)
    signal.throwIfAborted()
    this.held = null
    this.person.seq = h.events.at(-1)?.seq ?? 0
    for (const f of h.events) if (f.clientId) this.outbox.settle(f.clientId)
    this.notify('reset', h)
    for (const f of held) this.hear(f)
  }

  history(before, signal = this.signal) {
    return this.call(`messages?limit=50${before ? `&before=${before}` : ''}`, { signal })
  }

  upload(file) {
    const form = new FormData()
    form.append('file', file, file.name)
    return this.call('files', { form, wait: 120_000 })
  }

  file(id) { return this.call(`files/${encodeURIComponent(id)}`, { raw: true, wait: 120_000 }) }

  async poll(signal) {
    const path = `poll?after=${this.person.seq}&wait=${pollFor}`
    const { events, nextSeq, gap, pollAfterMs } = await this.call(path, { signal, wait: answerFor + pollFor * 1000 })
    signal.throwIfAborted()
    if (gap) return this.reload(signal)
    for (const f of events) this.hear(f)
    this.person.seq = Math.max(this.person.seq, nextSeq)
    await new Promise(done => setTimeout(done, Math.min(Math.max(pollAfterMs || 0, 50), answerFor)))
  }

  // ── The socket ─────────────────────────────────────────────────────────────────────────────────────────────────────

  connect() {
    const signal = this.begin()
    const url = new URL('ws', this.base)
    url.protocol = url.protocol.replace('http', 'ws')
    let socket
    try { socket = this.socket = new WebSocket(url) } catch { // the page's policy forbids it
      return queueMicrotask(() => { if (!signal.aborted) this.dispatch({ type: 'closed' }) })
    }
    const { token, seq } = this.person
    const hello = { t: 'hello', token, lastSeq: seq, clientTime: new Date().toISOString() }
    socket.onopen = () => { if (!signal.aborted) socket.send(JSON.stringify(hello)) }
    socket.onmessage = e => { if (!signal.aborted) this.receive(e.data, signal) }
    socket.onclose = e => {
      if (signal.aborted) return
      if (e.code === 1009 && this.awaited) {
        this.resolveAwaited({ t: 'error', retryable: false, detail: 'This message is too large.' })
      }
      this.dispatch({ type: 'closed', code: e.code })
    }
    signal.addEventListener('abort', () => {
      if (this.socket === socket) this.socket = null
      socket.close()
    })
  }

  receive(text, signal) {
    let f
    try { f = JSON.parse(text) } catch { return }
    if (f === null || typeof f !== 'object') return
    this.dispatch({ type: 'heard' })
    if (f.t === 'hello') this.dispatch({ type: 'greeted' })
    if (f.gap) this.reload(signal).catch(e => { if (!signal.aborted) this.fail(e) })
    else this.hear(f)
  }

  // transmit says a frame over the socket, and reports whether there is one.
  transmit(frame) {
    if (this.state.mode !== 'online' || this.socket?.readyState !== WebSocket.OPEN) return false
    this.socket.send(JSON.stringify(frame))
    return true
  }

  // ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  // hear hands on what has a place once, in order.
  hear(f) {
    if (this.held) return this.held.push(f)
    const person = this.person
    if (f.t === 'ack' || f.t === 'error') {
      if (this.awaited?.clientId === f.clientId) this.resolveAwaited(f)
      else if (f.t === 'error' && !f.clientId && !f.retryable) this.notify('error', f)
      return
    }
    if (f.seq) {
      if (f.seq <= person.seq) return
      person.seq = f.seq
    }
    if (f.t === 'message' && f.clientId) this.outbox.settle(f.clientId)
    if (shown.includes(f.t)) this.notify(f.t, f)
  }

  resolveAwaited(answer) {
    const { resolve, late } = this.awaited
    this.awaited = null
    clearTimeout(late)
    resolve(answer)
  }

  // deliver says one frame that has to arrive, and resolves to its answer.
  deliver(frame) {
    if (this.state.mode === 'polling') return this.post(frame)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => { // the socket is dead
        reject(new Failure(0))
        this.dispatch({ type: 'failed' })
      }, answerFor)
      clearTimeout(this.awaited?.late)
      this.awaited = { clientId: frame.clientId, resolve, late }
      if (!this.transmit(frame)) reject(new Failure(0))
    })
  }

  async post(frame) {
    try {
      return await this.call('messages', { json: frame })
    } catch (e) {
      if ([401, 403, 404].includes(e.status)) this.fail(e) // of the session, not of the frame
      else if (e.status >= 400 && e.status < 500 && ![408, 425, 429].includes(e.status)) {
        return { t: 'error', clientId: frame.clientId, code: e.code, detail: e.detail, retryable: false }
      } else if (e.status) {
        const { code, detail, after } = e
        return { t: 'error', clientId: frame.clientId, code, detail, retryable: true, retryAfterMs: after }
      }
      throw e
    }
  }

  answered(frame, answer) {
    // The socket brings no copy of what it has taken.
    if (answer.t === 'ack' && answer.seq === this.person.seq + 1) this.person.seq = answer.seq
    this.notify(answer.t, { clientId: frame.clientId, ...answer })
  }

  // say says something that may get lost: typing, read, page.
  say(frame) {
    if (this.transmit(frame) || this.state.mode !== 'polling') return
    this.call('messages', { json: frame }).catch(() => {})
  }
}

// retryAfter returns the ms that an answer asks to wait: seconds or a date (RFC 9110 §10.2.3).
function retryAfter(answer) {
  const text = answer.headers.get('Retry-After')
  if (!text) return 0
  const ms = /^\d+$/.test(text) ? 1000 * text : Date.parse(text) - Date.now()
  return ms > 0 ? ms : 0
}
