// FakeServer plays the web chat towards the widget's client: fetch and WebSocket, with the answers that a test lets it
// give.
export class FakeServer {
  // sockets: whether sockets get through. deaf: answers come although the client has aborted the call.
  constructor({ sockets = true, deaf = false } = {}) {
    this.visitors = 0
    this.calls = [] // {path, method, token, json}
    this.boxes = new Map() // mailbox → frames
    this.seen = new Map() // clientId → ack
    this.sockets = []
    this.expired = new Set() // tokens
    this.gate = null // holds back the answers of calls: (path) => Promise or nothing
    this.refuse = null // (path, json) → [status, body, headers] or nothing
    const server = this
    globalThis.fetch = (url, options) => deaf ? server.fetch(url, { ...options, signal: undefined }) : server.fetch(url, options)
    globalThis.WebSocket = class { static OPEN = 1; constructor() { server.accept(this, sockets) } }
  }

  async fetch(url, { method, body, headers = {}, signal }) {
    const path = new URL(url).pathname.split('/').slice(3).join('/'), token = headers.Authorization?.slice(7) ?? ''
    const json = typeof body === 'string' ? JSON.parse(body) : undefined
    this.calls.push({ path, method, token, json })
    const answer = this.answer(path, method, token, json, new URL(url).searchParams)
    const aborted = new Promise((_, reject) => {
      if (signal?.aborted) reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
    aborted.catch(() => {})
    const [status, out, more] = await Promise.race([Promise.resolve(this.gate?.(path, method)).then(() => answer), aborted])
    return new Response(JSON.stringify(out), { status, headers: more })
  }

  answer(path, method, token, json, query) {
    const refused = this.refuse?.(path, json)
    if (refused) return refused
    if (path === 'sessions') return this.open(token, json)
    if (this.expired.has(token)) return [401, {}]
    const box = this.box(token)
    if (path === 'messages') return method === 'POST' ? [202, this.take(box, json)] : [200, { events: [...box], more: true }]
    if (path === 'poll') return this.poll(box, Number(query.get('after')))
    if (path === 'files') return [201, { fileId: 'f' }]
    return [200, {}]
  }

  // open makes a visitor, or finds the one that shows its secret. Tokens are named after their mailboxes.
  open(token, { visitorId, visitorSecret, identity }) {
    if (token && this.expired.has(token)) return [401, {}]
    const known = token || (visitorSecret === `secret of ${visitorId}` && !identity)
    const visitor = known ? visitorId : `v${++this.visitors}`
    const name = token ? token.split('#')[0] : identity ? `box of ${identity.identifier}` : `box of ${visitor}`
    return [201, {
      visitorId: visitor, visitorSecret: known ? undefined : `secret of ${visitor}`, token: `${name}#${this.calls.length}`,
      conversationId: name, verified: !name.endsWith(visitor), lastSeq: 0,
    }]
  }

  box(token) {
    const name = token.split('#')[0]
    if (!this.boxes.has(name)) this.boxes.set(name, [])
    return this.boxes.get(name)
  }

  take(box, frame) {
    if (!frame.clientId) return {}
    this.said = (this.said ?? 0) + 1
    const known = this.seen.get(frame.clientId)
    if (known) return { ...known, duplicate: true }
    const f = { ...frame, t: 'message', seq: box.length + 1, id: `m${frame.clientId}`, author: 'visitor', ts: 1 }
    box.push(f)
    this.seen.set(frame.clientId, { t: 'ack', clientId: frame.clientId, id: f.id, seq: f.seq })
    return this.seen.get(frame.clientId)
  }

  // say puts a message of an agent into a mailbox, or what more says of one, and wakes who waits for it.
  say(name, text, more = {}) {
    const box = this.box(name), f = { t: 'message', seq: box.length + 1, id: `a${name}${box.length}`, author: 'agent', text, ts: 1, ...more }
    box.push(f)
    this.wake?.()
    for (const s of this.sockets) if (s.box === box) s.onmessage({ data: JSON.stringify(f) })
  }

  async poll(box, after) {
    if (box.length <= after) await new Promise(done => { const before = this.wake; this.wake = () => { before?.(); done() } })
    const events = box.filter(f => f.seq > after)
    return [200, { events, nextSeq: box.length, pollAfterMs: 0 }]
  }

  accept(socket, open) {
    socket.close = () => { this.sockets = this.sockets.filter(s => s !== socket) }
    socket.send = text => this.receive(socket, JSON.parse(text))
    setImmediate(() => {
      if (!open) return socket.onclose({ code: 1006 })
      this.sockets.push(socket)
      socket.readyState = 1
      socket.onopen()
    })
  }

  receive(socket, f) {
    const send = out => socket.onmessage({ data: JSON.stringify(out) })
    if (f.t === 'hello') {
      if (this.expired.has(f.token)) return socket.onclose({ code: 4401 })
      socket.box = this.box(f.token)
      send({ t: 'hello' })
      for (const m of socket.box) if (m.seq > f.lastSeq) send(m)
    } else if (f.t === 'ping') send({ t: 'pong' })
    else if (f.clientId) {
      if (this.silent) return
      const [status, body] = this.refuse?.('messages', f) ?? [202, this.take(socket.box, f)]
      send(status === 202 ? body : { t: 'error', clientId: f.clientId, ...body })
    }
  }
}
