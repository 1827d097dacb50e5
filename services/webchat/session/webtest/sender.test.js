import assert from 'node:assert/strict'
import test from 'node:test'
import { Outbox } from '../web/line/outbox.js'
import { Sender } from '../web/line/sender.js'
import { Store } from '../web/line/store.js'
import { browser, settled } from './browser.js'

// begin makes a sender whose server answers with answer(frame, number of the call).
function begin(t, answer) {
  browser()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const outbox = new Outbox(new Store('c.')), life = new AbortController(), said = [], told = []
  let under = 0, most = 0
  const deliver = async frame => {
    said.push(frame.text)
    most = Math.max(most, ++under)
    try { return await answer(frame, said.length) } finally { under-- }
  }
  const sender = new Sender({ outbox, deliver, signal: life.signal, answered: (f, a) => told.push([f.text, a.t]), random: () => 0 })
  const say = text => { outbox.add({ t: 'message', text }); sender.kick() }
  return { sender, outbox, said, told, life, say, most: () => most }
}

const ack = { t: 'ack' }
const later = retryAfterMs => ({ t: 'error', retryable: true, retryAfterMs })
const never = { t: 'error', retryable: false }

test('messages leave in order, one at a time', async t => {
  const s = begin(t, () => ack)
  for (let i = 0; i < 40; i++) s.say(`${i}`)
  assert.deepEqual(s.said, [])
  s.sender.ready()
  await settled()
  assert.deepEqual(s.said, Array.from({ length: 40 }, (_, i) => `${i}`))
  assert.equal(s.most(), 1)
  assert.equal(s.outbox.size, 0)
})

for (const n of [1, 5, 31, 200]) {
  test(`${n} refusals make ${n} repeats, however many messages wait`, async t => {
    const s = begin(t, (_, call) => (call <= n ? later(3000) : ack))
    for (let i = 0; i < 50; i++) s.say(`${i}`)
    s.sender.ready()
    for (let i = 0; i < n; i++) {
      await settled()
      assert.equal(s.said.length, i + 1)
      t.mock.timers.tick(2999)
      s.sender.kick(); s.sender.ready() // typing more, or connecting again, shortens no pause
      await settled()
      assert.equal(s.said.length, i + 1, 'before the pause was over')
      t.mock.timers.tick(30_000)
    }
    await settled()
    assert.equal(s.said.length, 50 + n)
    assert.deepEqual(s.said.slice(n), Array.from({ length: 50 }, (_, i) => `${i}`))
  })
}

test('a limit of one in three seconds is kept to: nothing overtakes what was refused', async t => {
  let free = 5
  const s = begin(t, () => (free > 0 ? (free--, ack) : later(3000)))
  for (let i = 0; i < 20; i++) s.say(`${i}`)
  s.sender.ready()
  for (let i = 0; i < 20 && s.outbox.size; i++) {
    await settled()
    free = 1
    t.mock.timers.tick(10_000)
  }
  await settled()
  assert.deepEqual(s.told.filter(([, a]) => a === 'ack').map(([text]) => text), Array.from({ length: 20 }, (_, i) => `${i}`))
  assert.ok(s.said.length <= 40, `${s.said.length}`)
})

test('what is refused for good makes room', async t => {
  const s = begin(t, f => (f.text === 'bad' ? never : ack))
  for (const text of ['1', 'bad', '2']) s.say(text)
  s.sender.ready()
  await settled()
  assert.deepEqual(s.told, [['1', 'ack'], ['bad', 'error'], ['2', 'ack']])
})

test('what was not answered is said again, first', async t => {
  const s = begin(t, (_, call) => (call === 1 ? new Promise(() => {}) : call === 2 ? Promise.reject(new Error('network')) : ack))
  s.say('1'); s.say('2')
  s.sender.ready()
  await settled()
  s.sender.pause() // the connection breaks
  await settled()
  s.sender.ready()
  await settled()
  t.mock.timers.tick(1000)
  await settled()
  assert.deepEqual(s.said, ['1', '1', '1', '2'])
})

test('an answer over a former connection, and any after the end, is not taken', async t => {
  const answers = []
  const s = begin(t, () => new Promise(done => answers.push(done)))
  s.say('1')
  s.sender.ready(); s.sender.pause(); s.sender.ready()
  answers[0](ack)
  await settled()
  assert.equal(s.outbox.size, 1)
  s.life.abort()
  answers[1](ack)
  await settled()
  assert.equal(s.outbox.size, 1)
  assert.deepEqual(s.told, [])
})
