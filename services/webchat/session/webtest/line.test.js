import assert from 'node:assert/strict'
import test from 'node:test'
import { browser, settled } from './browser.js'
import { FakeServer } from './server.js'

const { Line } = await import(process.env.LINE ?? '../web/line/line.js') // LINE: the file as it is served

const base = 'http://chat.test/chat/ch/'
const alice = { identifier: 'alice' }, bob = { identifier: 'bob' }

// begin makes a browser, a server and a line; heard is what the page was shown, and to whom.
function begin(t, options = {}) {
  const b = browser(options), server = new FakeServer(options)
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_700_000_000_000 })
  const pass = async (ms = 0) => {
    for (let left = ms; left > 0; left -= 250) {
      await settled()
      t.mock.timers.tick(Math.min(left, 250))
    }
    await settled()
  }
  return { ...b, server, pass, open: () => listen(new Line(base, 'ch')) }
}

function listen(line) {
  const heard = []
  let who = ''
  line.addEventListener('session', e => { who = e.detail.conversationId; heard.push({ kind: 'session', who }) })
  for (const kind of ['message', 'edit', 'delete', 'ack', 'error', 'typing', 'read', 'reset', 'cleared']) {
    line.addEventListener(kind, e => heard.push({ kind, who, ...e.detail }))
  }
  line.addEventListener('state', e => { line.connected = e.detail.connected })
  return { line, heard, texts: () => heard.filter(h => h.kind === 'message').map(h => h.text), who: () => who }
}

for (const sockets of [true, false]) {
  const how = sockets ? 'the socket' : 'long poll'

  test(`what is said arrives once and in order, over ${how}`, async t => {
    const { server, pass, open } = begin(t, { sockets })
    const { line, texts } = open()
    line.start(null)
    for (let i = 0; i < 10; i++) line.send({ t: 'message', text: `${i}` })
    await pass(5000)
    server.say('box of v1', 'answer')
    await pass(1000)
    assert.equal(line.connected, true)
    assert.deepEqual(server.box('box of v1').map(f => f.text), [...'0123456789', 'answer'])
    assert.equal(line.outbox.size, 0)
    assert.deepEqual(texts().filter(text => text === 'answer'), ['answer'])
  })

  test(`an edit and a deletion come once and in order, over ${how}`, async t => {
    const { server, pass, open } = begin(t, { sockets })
    const { line, heard } = open()
    line.start(null)
    await pass(1000)
    server.say('box of v1', 'answer', { id: 'm1' })
    server.say('box of v1', 'better', { t: 'edit', id: 'm1' })
    server.say('box of v1', undefined, { t: 'delete', id: 'm1' })
    await pass(2000)
    assert.deepEqual(heard.filter(h => h.id === 'm1').map(h => [h.kind, h.text]), [['message', 'answer'], ['edit', 'better'], ['delete', undefined]])
  })

  for (const [name, change] of Object.entries({
    'a logout': o => { o.line.forget(); return o.line.start(null) },
    'another person': o => { o.line.identity = bob; return o.line.start(null) },
    'a logout in another tab': async o => {
      for (const key of ['visitor', 'secret']) localStorage.removeItem(`tributary.ch.${key}`)
      o.fire('storage', { key: 'tributary.ch.visitor', newValue: null })
    },
  })) {
    test(`after ${name} nothing of the former person is handled or shown, over ${how}, whatever answer is late`, async t => {
      const b = begin(t, { sockets, deaf: true })
      const o = { ...b, ...b.open() }
      o.line.identity = alice
      o.line.start(null)
      await b.pass(5000)
      b.server.say('box of alice', 'SECRET before')
      await b.pass(500)
      const late = []
      b.server.gate = () => new Promise(done => late.push(done))
      const asked = [o.line.history(3), o.line.upload(new Blob(['x'])), o.line.file('f')].map(p => p.then(() => 'answered', e => e.name))
      o.line.send({ t: 'message', text: 'SECRET unsent' })
      const former = [...b.server.sockets]
      await b.pass(100)
      const mark = o.heard.length
      b.server.gate = null
      change(o)
      await b.pass(5000)
      b.server.say('box of alice', 'SECRET after') // answers the poll under way
      for (const s of former) s.onmessage({ data: JSON.stringify({ t: 'message', seq: 9, text: 'SECRET over the socket' }) })
      for (const done of late) done()
      await b.pass(5000)
      assert.deepEqual(await Promise.all(asked), ['AbortError', 'AbortError', 'AbortError'])
      assert.equal(JSON.stringify(o.heard.slice(mark)).includes('SECRET'), false)
      assert.notEqual(o.who(), 'box of alice')
      assert.equal(o.heard.slice(mark).filter(h => h.kind === 'cleared').length, 1)
      assert.equal(o.line.outbox.size, 0)
      const box = o.who()
      b.server.say(box, 'for the present one')
      await b.pass(1000)
      assert.deepEqual(o.texts().slice(-1), ['for the present one'])
      assert.equal(b.server.box(box).some(f => f.text.includes('SECRET')), false)
    })
  }

  test(`a refused message does not multiply, over ${how}`, async t => {
    const { server, pass, open } = begin(t, { sockets })
    const { line } = open()
    let free = 7, said = 0
    const limited = { code: 'rate_limited', retryable: true, retryAfterMs: 3000 }
    server.refuse = (path, f) => {
      if (path !== 'messages' || !f?.clientId) return null
      said++
      return free > 0 ? (free--, null) : [429, limited, { 'Retry-After': '3' }]
    }
    line.start(null)
    for (let i = 0; i < 20; i++) line.send({ t: 'message', text: `${i}` })
    for (let i = 0; i < 40; i++) {
      await pass(4000)
      free = 1
    }
    assert.equal(line.outbox.size, 0)
    assert.ok(said <= 60, `said ${said} times`)
    assert.deepEqual(server.box('box of v1').map(f => f.text), Array.from({ length: 20 }, (_, i) => `${i}`))
  })

  test(`a session that has expired is renewed, and what waits is sent, over ${how}`, async t => {
    const { server, pass, open } = begin(t, { sockets })
    const { line, who, heard } = open()
    line.start(null)
    await pass(5000)
    server.expired.add(line.person.token)
    for (const s of server.sockets) s.onclose({ code: 4401 })
    line.send({ t: 'message', text: 'late' })
    await pass(5000)
    assert.deepEqual(server.box('box of v1').map(f => f.text), ['late'])
    assert.equal(who(), 'box of v1')
    assert.equal(heard.filter(h => h.kind === 'reset').length, 1)
  })

  test(`a proof that is over is asked for again: the person's messages leave the screen, over ${how}`, async t => {
    const { server, pass, open } = begin(t, { sockets })
    const { line, who, heard } = open()
    line.identity = alice
    line.start(null)
    await pass(5000)
    server.expired.add(line.person.token)
    for (const s of server.sockets) s.onclose({ code: 4401 })
    if (!sockets) server.wake()
    line.send({ t: 'message', text: 'of alice' })
    await pass(5000)
    assert.notEqual(who(), 'box of alice')
    assert.equal(heard.filter(h => h.kind === 'cleared').length, 1)
    assert.equal(line.outbox.size, 0)
    line.identity = alice // the page proves it again
    line.start(null)
    await pass(5000)
    assert.deepEqual(server.box('box of alice').map(f => f.text), ['of alice'])
  })
}

test('what is said right behind a proof is said by that person', async t => {
  const { server, pass, open } = begin(t)
  const { line } = open()
  line.start(null)
  await pass(2000)
  line.identity = alice
  line.send({ t: 'message', text: 'of alice' }) // the page starts a little later
  await pass(50)
  line.start(null)
  await pass(2000)
  assert.deepEqual(server.box('box of v1'), [])
  assert.deepEqual(server.box('box of alice').map(f => f.text), ['of alice'])
})

test('what the history shows is not said again', async t => {
  const { server, pass, open, storage } = begin(t)
  const first = open()
  first.line.start(null)
  await pass(1000)
  const f = first.line.send({ t: 'message', text: 'hello' })
  const stored = storage.getItem(`tributary.ch.out.${f.clientId}`)
  await pass(1000)
  first.line.session.end()
  storage.setItem(`tributary.ch.out.${f.clientId}`, stored) // its page was closed before the answer came
  const said = server.said
  const { line } = open()
  assert.equal(line.outbox.size, 1)
  line.start(null)
  await pass(1000)
  assert.equal(line.outbox.size, 0)
  assert.equal(server.said, said)
})

for (const locks of [true, false]) {
  test(`a first visit in four tabs is one visitor, ${locks ? 'with' : 'without'} Web Locks`, async t => {
    const { server, pass, open } = begin(t, { locks })
    const tabs = [open(), open(), open(), open()]
    for (const tab of tabs) tab.line.start(null)
    await pass(5000)
    assert.equal(server.visitors, 1)
    assert.deepEqual(tabs.map(tab => tab.who()), Array(4).fill('box of v1'))
  })
}

test('who logs in keeps what was said before, sent or not', async t => {
  const { server, pass, open } = begin(t)
  const { line, heard } = open()
  line.send({ t: 'message', text: 'not sent yet' })
  line.identity = alice
  line.start(null)
  await pass(2000)
  assert.deepEqual(server.box('box of alice').map(f => f.text), ['not sent yet'])
  assert.equal(heard.some(h => h.kind === 'cleared'), false)
  const mark = heard.length
  line.identity = alice // pages say it again and again
  line.start(null)
  await pass(2000)
  assert.deepEqual(heard.slice(mark).map(h => h.kind), ['session'])
})

test('what comes while the history is read anew is shown behind it', async t => {
  const { server, pass, open } = begin(t)
  const { line, heard } = open()
  line.start(null)
  await pass(1000)
  let answer
  server.box('box of v1').push({ t: 'message', seq: 1, id: 'x', text: 'missed' })
  server.gate = path => (path === 'messages' ? new Promise(done => { answer = done }) : null)
  server.sockets[0].onmessage({ data: '{"t":"gap","gap":true}' })
  await pass()
  server.say('box of v1', 'meanwhile')
  answer()
  await pass(100)
  const reset = heard.findLast(h => h.kind === 'reset')
  assert.deepEqual(reset.events.map(f => f.text), ['missed'])
  assert.equal(heard.at(-1).text, 'meanwhile')
  assert.equal(line.person.seq, 2)
})

test('a socket that is dead is noticed and left', async t => {
  const { server, pass, open } = begin(t)
  const { line } = open()
  line.start(null)
  await pass(1000)
  const dead = server.sockets[0]
  dead.send = () => {}
  line.send({ t: 'message', text: 'hello' })
  await pass(60_000)
  assert.ok(server.sockets.every(s => s !== dead))
  assert.deepEqual(server.box('box of v1').map(f => f.text), ['hello'])
})

test('without a network nothing is tried; with it, at once', async t => {
  const { server, pass, open, fire } = begin(t)
  const { line } = open()
  line.start(null)
  await pass(1000)
  fire('offline')
  assert.equal(line.connected, false)
  line.send({ t: 'message', text: 'typed offline' })
  await pass(20_000)
  assert.equal(server.sockets.length, 0)
  fire('online')
  await pass()
  assert.equal(line.connected, true)
  assert.deepEqual(server.box('box of v1').map(f => f.text), ['typed offline'])
})

test('answers that are no answers are tried again, with less and less haste', async t => {
  const { server, pass, open } = begin(t)
  const { line } = open()
  for (const answer of [[200, 'a captive portal'], [200, {}], [500, {}], [503, null, { 'Retry-After': 'soon' }]]) {
    server.refuse = () => answer
    const before = server.calls.length
    line.start(null)
    await pass(60_000)
    const tried = server.calls.length - before
    assert.ok(tried > 2 && tried < 12, `${JSON.stringify(answer)}: ${tried}`)
  }
  server.refuse = null
  await pass(30_000)
  assert.equal(line.connected, true)
})

test('a refusal says why, and is not repeated', async t => {
  const { server, pass, open } = begin(t)
  const { line } = open()
  server.refuse = () => [403, { detail: 'not on this page' }]
  const states = []
  line.addEventListener('state', e => states.push(e.detail.refused))
  line.start(null)
  await pass(600_000)
  assert.deepEqual(states, ['not on this page'])
  assert.equal(server.calls.length, 1)
})

for (const value of ['{}', '[]', '7', '"', 'null', JSON.stringify('x'.repeat(40_000))]) {
  test(`stored values that are damaged stop nothing: ${value.slice(0, 20)}`, async t => {
    const { server, pass, open, storage } = begin(t)
    t.mock.method(console, 'warn', () => {})
    for (const key of ['visitor', 'secret', 'outbox', 'out.x', 'form', 'lock']) storage.setItem(`tributary.ch.${key}`, value)
    const { line } = open()
    line.start(null)
    line.send({ t: 'message', text: 'hello' })
    await pass(3000)
    assert.deepEqual(server.box('box of v1').map(f => f.text), ['hello'])
  })
}
