import assert from 'node:assert/strict'
import test from 'node:test'
import { backOff, initial, maxRetryAfter, modes, next } from '../web/line/machine.js'

const events = ['start', 'opened', 'failed', 'refused', 'expired', 'greeted', 'heard', 'closed', 'polled', 'timer', 'online', 'offline', 'visible']
const running = ['connecting', 'online', 'polling', 'waiting', 'offline'] // modes that something has to end

// rows are all that changes anything: mode, event, what else the state and the event hold, the mode that follows, the
// effects.
const rows = [
  ['idle', 'start', {}, {}, 'opening', 'open'],
  ['opening', 'opened', {}, {}, 'connecting', 'connect timer'],
  ['opening', 'opened', { sockets: 2 }, {}, 'polling', 'poll ready tell timer'],
  ['opening', 'failed', {}, {}, 'waiting', 'stop tell timer', 'opening'],
  ['opening', 'refused', {}, { detail: 'no' }, 'refused', 'stop tell'],
  ['opening', 'offline', {}, {}, 'offline', 'stop tell timer', 'opening'],
  ['connecting', 'greeted', {}, {}, 'online', 'tell ready timer'],
  ['connecting', 'closed', {}, { code: 1006 }, 'waiting', 'stop tell timer', 'connecting'],
  ['connecting', 'closed', { sockets: 1 }, { code: 1006 }, 'polling', 'stop poll ready tell timer'],
  ['connecting', 'closed', {}, { code: 4401 }, 'opening', 'stop open'],
  ['connecting', 'closed', { renewed: true }, { code: 4401 }, 'waiting', 'stop tell timer', 'opening'],
  ['connecting', 'closed', {}, { code: 4403 }, 'refused', 'stop tell'],
  ['connecting', 'closed', {}, { code: 4429 }, 'waiting', 'stop tell timer', 'connecting'],
  ['connecting', 'timer', {}, {}, 'waiting', 'stop tell timer', 'connecting'],
  ['connecting', 'timer', { sockets: 1 }, {}, 'polling', 'stop poll ready tell timer'],
  ['connecting', 'failed', {}, {}, 'waiting', 'stop tell timer', 'connecting'],
  ['connecting', 'offline', {}, {}, 'offline', 'stop tell timer', 'connecting'],
  ['online', 'closed', {}, { code: 1006 }, 'waiting', 'stop tell timer', 'connecting'],
  ['online', 'closed', {}, { code: 1012 }, 'waiting', 'stop tell timer', 'connecting'],
  ['online', 'closed', {}, { code: 4401 }, 'opening', 'stop open'],
  ['online', 'closed', {}, { code: 4403 }, 'refused', 'stop tell'],
  ['online', 'closed', {}, { code: 4429 }, 'waiting', 'stop tell timer', 'connecting'],
  ['online', 'failed', {}, { after: 5000 }, 'waiting', 'stop tell timer', 'connecting'],
  ['online', 'expired', {}, {}, 'opening', 'stop open'],
  ['online', 'refused', {}, {}, 'refused', 'stop tell'],
  ['online', 'heard', { pinged: true }, {}, 'online', 'timer'],
  ['online', 'timer', {}, {}, 'online', 'ping timer'],
  ['online', 'timer', { pinged: true }, {}, 'waiting', 'stop tell timer', 'connecting'],
  ['online', 'visible', {}, {}, 'online', 'ping timer'],
  ['online', 'online', {}, {}, 'online', 'ping timer'],
  ['online', 'offline', {}, {}, 'offline', 'stop tell timer', 'connecting'],
  ['polling', 'polled', {}, {}, 'polling', 'poll'],
  ['polling', 'failed', {}, { status: 429, after: 9000 }, 'waiting', 'stop tell timer', 'polling'],
  ['polling', 'failed', {}, { status: 0 }, 'waiting', 'stop tell timer', 'connecting'],
  ['polling', 'expired', {}, {}, 'opening', 'stop open'],
  ['polling', 'expired', { renewed: true }, {}, 'waiting', 'stop tell timer', 'opening'],
  ['polling', 'refused', {}, {}, 'refused', 'stop tell'],
  ['polling', 'timer', { sockets: 2 }, {}, 'connecting', 'stop connect timer'],
  ['polling', 'offline', {}, {}, 'offline', 'stop tell timer', 'connecting'],
  ...['timer', 'online', 'visible'].flatMap(event => [
    ['waiting', event, { then: 'opening' }, {}, 'opening', 'open'],
    ['waiting', event, { then: 'connecting' }, {}, 'connecting', 'connect timer'],
    ['waiting', event, { then: 'polling' }, {}, 'polling', 'poll ready tell timer'],
  ]),
  ['waiting', 'timer', { bound: true, then: 'opening' }, {}, 'opening', 'open'],
  ['waiting', 'offline', { then: 'polling' }, {}, 'offline', 'stop tell timer', 'polling'],
  ['offline', 'online', { then: 'connecting' }, {}, 'connecting', 'connect timer'],
  ['offline', 'timer', { then: 'opening' }, {}, 'opening', 'open'],
]

test('every transition', () => {
  for (const [mode, type, state, event, follows, effects, then] of rows) {
    const step = next({ ...initial, ...state, mode }, { type, random: 0.5, ...event })
    const what = `${mode} ${JSON.stringify(state)} + ${type} ${JSON.stringify(event)}`
    assert.equal(step.state.mode, follows, what)
    assert.equal(step.effects.map(e => e.do).join(' '), effects, what)
    if (then) assert.equal(step.state.then, then, what)
  }
})

test('every other event changes nothing, in every mode', () => {
  for (const mode of modes) {
    for (const type of events) {
      if (rows.some(row => row[0] === mode && row[1] === type)) continue
      const state = { ...initial, mode }
      assert.deepEqual(next(state, { type, random: 0 }), { state, effects: [] }, `${mode} + ${type}`)
    }
    const ended = next({ ...initial, mode }, { type: 'end' })
    assert.equal(ended.state.mode, 'ended')
  }
})

test('what the server asked for is not shortened: not by the page, not by the network', () => {
  const { state } = next({ ...initial, mode: 'online' }, { type: 'failed', status: 429, after: 42_000, random: 0 })
  for (const type of ['online', 'offline', 'visible']) assert.deepEqual(next(state, { type }), { state, effects: [] }, type)
  const wait = next({ ...initial, mode: 'online' }, { type: 'closed', code: 4429, random: 0 }).effects.find(e => e.do === 'timer')
  assert.ok(wait.ms >= 60_000)
})

test('pauses grow, are random, reach what the server asks for, and end', () => {
  for (let n = 1; n < 60; n++) {
    const [least, most] = [backOff(n, 0), backOff(n, 1)]
    assert.ok(least >= 500 && most <= 30_000 && most === 2 * least, `${n}: ${least}–${most}`)
    assert.ok(least >= backOff(Math.max(n - 1, 1), 0))
  }
  for (const after of [1000, 3000, 60_000]) assert.ok(backOff(1, 0, after) >= after && backOff(1, 1, after) <= after + 1000 + 1)
  for (const after of [NaN, -1, undefined, 'x']) assert.equal(backOff(1, 0, after), 500)
  for (const after of [Infinity, 86_400_000_000]) assert.ok(backOff(1, 1, after) <= maxRetryAfter + 1000)
})

test('sockets that are greeted and closed at once are tried less and less often', () => {
  let state = { ...initial, mode: 'connecting' }, wait = 0
  for (let i = 0; i < 8; i++) {
    state = next(state, { type: 'greeted' }).state
    const step = next(state, { type: 'closed', code: 1009, random: 0 })
    wait = step.effects.find(e => e.do === 'timer').ms
    state = next(step.state, { type: 'timer' }).state
  }
  assert.equal(wait, 15_000)
})

test('no order of events leaves it without a timer, with two connections, or alive after the end', () => {
  let seed = 1
  const random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
  const pick = list => list[Math.floor(random() * list.length)]
  for (let walk = 0; walk < 300; walk++) {
    let state = initial, armed = false, busy = ''
    for (let i = 0; i < 60; i++) {
      const event = { type: pick(events), random: random(), code: pick([1006, 1009, 1012, 4401, 4403, 4429]), status: pick([0, 429, 503]) }
      const was = state.mode
      const step = next(state, event)
      state = step.state
      if (state.mode !== was) armed = false
      for (const e of step.effects) {
        if (e.do === 'timer') armed = e.ms > 0
        if (e.do === 'stop') busy = ''
        if (['open', 'connect', 'poll'].includes(e.do)) {
          assert.ok(!busy || busy === 'open' || busy === e.do, `${e.do} beside ${busy}`)
          busy = e.do
        }
      }
      if (running.includes(state.mode)) assert.ok(armed, `${was} + ${event.type} → ${state.mode} waits for ever`)
    }
    state = next(state, { type: 'end' }).state
    for (const type of events) assert.equal(next(state, { type }).state.mode, 'ended')
  }
})
