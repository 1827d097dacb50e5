// The line to the server: a session, a socket, and a long poll where sockets do not get through. What was not acknowledged is
// said again under its clientId, also after the page was loaded anew; what has a place is handed out once, in order.

const pause = ms => new Promise(done => setTimeout(done, ms))

export class Line extends EventTarget {
  constructor(base, channel) {
    super()
    this.base = base
    this.store = new Store(`tributary.${channel}.`)
    this.seq = 0
    this.box = ''
    this.failed = 0
    this.outbox = new Map(this.store.read('outbox', []).map(f => [f.clientId, f]))
    this.identity = null
    this.generation = 0
    this.nudge = () => {}
    addEventListener('online', () => this.nudge())
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.nudge() })
  }

  // start begins, or begins again as somebody else. page is where the visitor is.
  async start(page) {
    const mine = ++this.generation
    if (this.socket) this.socket.close()
    for (let wait = 1000; mine === this.generation; wait = Math.min(wait * 2, 30000)) {
      try {
        await this.open(page)
        break
      } catch (e) {
        this.tell('state', { connected: false, refused: e.refused || '' })
        if (e.refused) return
        await this.rest(wait)
      }
    }
    if (mine === this.generation) this.run(mine)
  }

  async open(page) {
    const body = { visitorId: this.store.read('visitor', null), visitorSecret: this.store.read('secret', undefined), locale: navigator.language, page: page || undefined, identity: this.identity || undefined }
    const renew = this.token && !this.identity
    let answer = await this.fetch('sessions', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }, !renew)
    if (answer.status === 401 && renew) { // too old to be renewed
      this.token = ''
      answer = await this.fetch('sessions', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }, true)
    }
    if (!answer.ok) {
      const error = new Error(`session: ${answer.status}`)
      if (answer.status < 500 && answer.status !== 429) error.refused = (await answer.json().catch(() => ({}))).detail || 'The chat is not available here.'
      throw error
    }
    const s = await answer.json()
    this.token = s.token
    this.identity = null // from here on the token proves it
    this.store.write('visitor', s.visitorId)
    if (s.visitorSecret) this.store.write('secret', s.visitorSecret) // given once
    this.tell('session', s)
    if (this.box !== s.conversationId) { // the first time, or another person's mailbox
      this.box = s.conversationId
      await this.reload()
    }
  }

  // reload reads the newest part of the history.
  async reload() {
    const h = await this.history()
    this.tell('reset', h)
    this.seq = h.events.length ? h.events.at(-1).seq : 0
  }

  async history(before) {
    const answer = await this.fetch(`messages?limit=50${before ? `&before=${before}` : ''}`)
    if (!answer.ok) throw new Error(`history: ${answer.status}`)
    return answer.json()
  }

  async run(mine) {
    while (mine === this.generation) {
      const polls = this.failed >= 2
      try {
        await (polls ? this.poll(mine) : this.listen())
      } catch { /* tried again below */ }
      if (mine !== this.generation) return
      this.tell('state', { connected: false })
      if (this.over) { // the session has ended: renew it
        this.over = false
        await this.open().catch(() => {})
      }
      const most = Math.min(30000, 1000 * 2 ** Math.min(this.failed, 5))
      await this.rest(this.failed ? Math.random() * most : 0)
      if (polls) this.failed = 1 // a socket is tried again from time to time
    }
  }

  // rest waits, unless the network comes back or the visitor does.
  rest(ms) {
    return Promise.race([pause(ms), new Promise(done => { this.nudge = done })])
  }

  listen() {
    return new Promise(done => {
      const url = new URL('ws', this.base)
      url.protocol = url.protocol.replace('http', 'ws')
      const socket = this.socket = new WebSocket(url)
      let greeted = false
      const ping = setInterval(() => this.say({ t: 'ping' }), 25000)
      socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', token: this.token, lastSeq: this.seq, clientTime: new Date().toISOString() }))
      socket.onmessage = e => {
        const f = JSON.parse(e.data)
        if (f.t === 'hello') {
          greeted = true
          this.failed = 0
          this.tell('state', { connected: true })
          this.flush()
        }
        this.hear(f)
      }
      socket.onclose = e => {
        clearInterval(ping)
        this.socket = null
        if (e.code === 4401) this.over = true
        else if (!greeted || e.code === 4429) this.failed++
        done()
      }
    })
  }

  // poll asks for a minute, then a socket is tried again.
  async poll(mine) {
    this.tell('state', { connected: true })
    this.flush()
    for (const end = Date.now() + 60000; Date.now() < end && mine === this.generation;) {
      const answer = await this.fetch(`poll?after=${this.seq}&wait=25`)
      if (answer.status === 401) this.over = true
      if (!answer.ok) throw new Error(`poll: ${answer.status}`)
      const { events, nextSeq, gap } = await answer.json()
      if (gap) this.hear({ gap: true })
      events.forEach(f => this.hear(f))
      if (!gap) this.seq = Math.max(this.seq, nextSeq)
      await pause(50)
    }
  }

  hear(f) {
    if (f.gap) {
      this.reload().catch(() => {})
      return
    }
    if (f.t === 'ack') { // of our own frames the socket brings no copies
      if (f.seq === this.seq + 1) this.seq = f.seq
    } else if (f.seq) {
      if (f.seq <= this.seq) return
      this.seq = f.seq
    }
    if (f.clientId && (f.t === 'ack' || f.t === 'message')) this.settle(f.clientId)
    if (f.t === 'error' && f.clientId) {
      if (f.retryable) setTimeout(() => this.flush(), f.retryAfterMs || 2000)
      else this.settle(f.clientId)
    }
    this.tell(f.t, f)
  }

  settle(clientId) {
    if (this.outbox.delete(clientId)) this.store.write('outbox', [...this.outbox.values()])
  }

  // send says something that has to arrive.
  send(frame) {
    const f = { clientId: crypto.randomUUID(), ...frame }
    this.outbox.set(f.clientId, f)
    this.store.write('outbox', [...this.outbox.values()])
    this.put(f)
    return f
  }

  flush() { this.outbox.forEach(f => this.put(f)) }

  async put(f) {
    if (this.socket?.readyState === WebSocket.OPEN) return this.socket.send(JSON.stringify(f))
    if (this.failed < 2) return // the next hello sends it
    try {
      const answer = await this.fetch('messages', { method: 'POST', body: JSON.stringify(f), headers: { 'Content-Type': 'application/json' } })
      const body = await answer.json()
      if (answer.ok) this.hear(body)
      else this.hear({ t: 'error', clientId: f.clientId, code: body.code, detail: body.detail, retryable: answer.status === 429 || answer.status >= 500, retryAfterMs: 1000 * (answer.headers.get('Retry-After') || 2) })
    } catch { /* the next flush sends it */ }
  }

  // say says something that may get lost: typing, read, page.
  say(f) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(f))
    else if (this.failed >= 2 && f.t !== 'ping') this.fetch('messages', { method: 'POST', body: JSON.stringify(f), headers: { 'Content-Type': 'application/json' } }).catch(() => {})
  }

  async upload(file) {
    const form = new FormData()
    form.append('file', file, file.name)
    const answer = await this.fetch('files', { method: 'POST', body: form })
    const body = await answer.json()
    if (!answer.ok) throw new Error(body.errors?.[0]?.detail || body.detail || body.title)
    return body
  }

  async file(id) {
    const answer = await this.fetch(`files/${encodeURIComponent(id)}`)
    if (!answer.ok) throw new Error('The file is not there any more.')
    return answer.blob()
  }

  // forget makes the next visitor of this browser somebody else.
  forget() {
    this.store.clear()
    this.outbox.clear()
    this.identity = null
    this.token = ''
    this.box = ''
  }

  fetch(path, options = {}, bare = false) {
    const headers = { ...options.headers }
    if (this.token && !bare) headers.Authorization = `Bearer ${this.token}`
    return fetch(new URL(path, this.base), { credentials: 'omit', ...options, headers })
  }

  tell(kind, detail) { this.dispatchEvent(new CustomEvent(kind, { detail })) }
}

// Store is localStorage, or memory where a browser forbids it.
class Store {
  constructor(prefix) { this.prefix = prefix; this.memory = new Map() }
  read(key, otherwise) {
    try { return JSON.parse(localStorage.getItem(this.prefix + key)) ?? otherwise } catch { return this.memory.get(key) ?? otherwise }
  }
  write(key, value) {
    try { localStorage.setItem(this.prefix + key, JSON.stringify(value)) } catch { this.memory.set(key, value) }
  }
  clear() { for (const key of ['visitor', 'secret', 'outbox', 'form']) { this.memory.delete(key); try { localStorage.removeItem(this.prefix + key) } catch { /* nothing there */ } } }
}
