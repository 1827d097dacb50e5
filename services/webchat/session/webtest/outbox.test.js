import assert from 'node:assert/strict'
import test from 'node:test'
import { Outbox, maxFrame } from '../web/line/outbox.js'
import { Store } from '../web/line/store.js'
import { browser } from './browser.js'

const texts = outbox => [...outbox.values()].map(f => f.text)
const message = text => ({ t: 'message', text })

test('tabs do not overwrite each other, and the next page sees all of it in order', () => {
  browser()
  const [a, b] = [new Outbox(new Store('c.')), new Outbox(new Store('c.'))]
  a.add(message('a1')); b.add(message('b1')); a.add(message('a2'))
  const first = a.first()
  assert.equal(a.settle(first.clientId), true)
  assert.equal(a.settle(first.clientId), false)
  b.add(message('b2'))
  assert.deepEqual(texts(new Outbox(new Store('c.'))).sort(), ['a2', 'b1', 'b2'])
  assert.deepEqual(texts(new Outbox(new Store('other.'))), [])
})

test('what is said is in order, also when the clock steps back', t => {
  browser()
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const outbox = new Outbox(new Store('c.'))
  outbox.add(message('1')); outbox.add(message('2'))
  t.mock.timers.setTime(1000)
  outbox.add(message('3'))
  const later = new Outbox(new Store('c.'))
  later.add(message('4'))
  assert.deepEqual(texts(new Outbox(new Store('c.'))), ['1', '2', '3', '4'])
})

const whole = { at: 1, owner: '', frame: { t: 'message', clientId: 'x', text: 'kept' } }
for (const [name, value] of Object.entries({
  'not JSON': '{"at":1,', empty: '', null: 'null', 'a number': '7', 'a text': '"x"', 'a list': '[]', 'no frame': '{"at":1,"owner":""}',
  'a frame of null': '{"at":1,"owner":"","frame":null}', 'a list as frame': '{"at":1,"owner":"","frame":[]}',
  'no clientId': JSON.stringify({ ...whole, frame: { t: 'message' } }), 'a clientId of another kind': JSON.stringify({ ...whole, frame: { t: 'message', clientId: 7 } }),
  'a long clientId': JSON.stringify({ ...whole, frame: { t: 'message', clientId: 'x'.repeat(101) } }),
  'another key than its own': JSON.stringify({ ...whole, frame: { ...whole.frame, clientId: 'y' } }),
  'a frame that is not kept': JSON.stringify({ ...whole, frame: { t: 'hello', clientId: 'x' } }),
  'no place': JSON.stringify({ ...whole, at: 'soon' }), 'no owner': JSON.stringify({ ...whole, owner: null }),
  huge: JSON.stringify({ ...whole, frame: { ...whole.frame, text: 'x'.repeat(maxFrame) } }),
})) {
  test(`a stored message that is damaged (${name}) is dropped with a warning, the others are kept`, t => {
    const { storage } = browser()
    const warn = t.mock.method(console, 'warn', () => {})
    storage.setItem('c.out.x', value)
    storage.setItem('c.out.ok', JSON.stringify({ ...whole, frame: { ...whole.frame, clientId: 'ok' } }))
    assert.deepEqual(texts(new Outbox(new Store('c.'))), ['kept'])
    assert.equal(warn.mock.callCount(), 1)
    assert.ok(!String(warn.mock.calls[0].arguments).includes('kept'))
    assert.equal(storage.getItem('c.out.x'), null)
  })
}

for (const [name, value, want] of [
  ['a list', [{ t: 'message', clientId: '1', text: 'a' }, { t: 'postback', clientId: '2', text: 'b' }], ['a', 'b']],
  ['partly damaged', [null, { t: 'message', clientId: '1', text: 'a' }, 7, { t: 'ping', clientId: '2' }], ['a']],
  ['an object', {}, []], ['a text', 'x', []], ['null', null, []], ['a number', 3, []], ['empty', [], []],
]) {
  for (const listed of [true, false]) {
    test(`the list of the first versions is taken over: ${name}, ${listed ? '' : 'not '}enumerable`, t => {
      const { storage } = browser()
      t.mock.method(console, 'warn', () => {})
      if (!listed) storage.key = undefined
      storage.setItem('c.outbox', JSON.stringify(value))
      assert.deepEqual(texts(new Outbox(new Store('c.'))), want)
      assert.equal(storage.getItem('c.outbox'), null)
      if (listed) assert.deepEqual(texts(new Outbox(new Store('c.'))), want)
    })
  }
}

for (const [name, break_] of [['full', s => { s.setItem = () => { throw new DOMException('full', 'QuotaExceededError') } }],
  ['disabled', () => Object.defineProperty(globalThis, 'localStorage', { configurable: true, get() { throw new DOMException('no', 'SecurityError') } })]]) {
  test(`storage that is ${name} costs what outlasts the page, not the chat`, t => {
    const { storage } = browser()
    t.mock.method(console, 'warn', () => {})
    const store = new Store('c.')
    store.write('visitor', 'old')
    break_(storage)
    store.write('visitor', 'new')
    assert.equal(store.read('visitor'), 'new')
    const outbox = new Outbox(store)
    outbox.add(message('1')); outbox.add(message('2'))
    assert.deepEqual(texts(outbox), ['1', '2'])
    assert.deepEqual(texts(new Outbox(store, 'user:a')), ['1', '2']) // who proves who they are takes it along
    outbox.clear()
    store.clear()
    assert.equal(store.read('visitor') === 'new', false)
  })
}

test('what a person said waits for that person; what nobody in particular said goes with whoever they prove to be', () => {
  browser()
  new Outbox(new Store('c.')).add(message('anonymous'))
  const alice = new Outbox(new Store('c.'), 'user:alice')
  alice.add(message('of alice'))
  assert.deepEqual(texts(new Outbox(new Store('c.'), 'user:bob')), [])
  assert.deepEqual(texts(new Outbox(new Store('c.'))), [])
  assert.deepEqual(texts(new Outbox(new Store('c.'), 'user:alice')), ['anonymous', 'of alice'])
})

test('a frame that the server would never take is refused at once', () => {
  browser()
  const outbox = new Outbox(new Store('c.'))
  assert.throws(() => outbox.add(message('ü'.repeat(maxFrame / 2))), RangeError)
  assert.equal(outbox.size, 0)
})
