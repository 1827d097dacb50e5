import assert from 'node:assert/strict'
import test from 'node:test'
import { exclusively } from '../web/line/lock.js'
import { Store } from '../web/line/store.js'
import { browser, settled } from './browser.js'

// run lets five tabs work under one lock and returns how many worked at once at most, and how many worked at all.
async function run(t, { locks, patience, before = () => {} } = {}) {
  const { storage } = browser({ locks })
  before(storage)
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 })
  let under = 0, most = 0, done = 0
  const work = async () => {
    most = Math.max(most, ++under)
    await new Promise(over => setTimeout(over, 400))
    under--
    done++
  }
  for (let i = 0; i < 5; i++) exclusively(new Store('c.'), 'lock', new AbortController().signal, work, patience)
  for (let i = 0; i < 1500; i++) {
    await settled()
    t.mock.timers.tick(20)
  }
  return { most, done, left: storage.getItem('c.lock') }
}

test('one tab at a time, by Web Locks', async t => {
  assert.deepEqual(await run(t, { locks: true }), { most: 1, done: 5, left: null })
})

test('one tab at a time, by storage', async t => {
  assert.deepEqual(await run(t), { most: 1, done: 5, left: null })
})

for (const [name, claim] of Object.entries({
  'of a tab that died': { me: 'x', until: 1_000_000 + 5000 }, 'of before': { me: 'x', until: 1 },
  'from before the clock was set back': { me: 'x', until: 1e15 }, damaged: 'x', null: null,
})) {
  test(`a claim ${name} holds nobody up for long`, async t => {
    const got = await run(t, { before: storage => storage.setItem('c.lock', JSON.stringify(claim)) })
    assert.deepEqual(got, { most: 1, done: 5, left: null })
  })
}

test('without storage every tab goes ahead', async t => {
  const got = await run(t, { before: storage => { storage.setItem = () => { throw new DOMException('full', 'QuotaExceededError') } } })
  assert.equal(got.done, 5)
})

test('whoever has waited long enough goes ahead, whoever is ended does not', async t => {
  browser({ locks: true })
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const did = [], ended = new AbortController(), store = new Store('c.')
  const live = new AbortController().signal
  exclusively(store, 'lock', live, () => new Promise(() => {}))
  exclusively(store, 'lock', live, async () => did.push('patient'), 5000)
  const stopped = exclusively(store, 'lock', ended.signal, async () => did.push('ended'), 5000)
  await settled()
  ended.abort()
  await assert.rejects(stopped, { name: 'AbortError' })
  t.mock.timers.tick(4999)
  await settled()
  assert.deepEqual(did, [])
  t.mock.timers.tick(1)
  await settled()
  assert.deepEqual(did, ['patient'])
})

test('what the work fails with is what the caller gets, and the lock is free', async t => {
  for (const locks of [true, false]) {
    browser({ locks })
    const store = new Store('c.'), signal = new AbortController().signal
    const fails = () => exclusively(store, 'lock', signal, async () => { throw new DOMException('of the work', 'AbortError') })
    await assert.rejects(fails(), { message: 'of the work' })
    assert.equal(await exclusively(store, 'lock', signal, async () => 'free'), 'free')
  }
})

test('of tabs that claim at the same moment, each not seeing the other, one has it', async t => {
  browser()
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 })
  let under = 0, most = 0, done = 0
  for (let i = 0; i < 3; i++) {
    const store = new Store('c.'), read = store.read.bind(store)
    let first = true
    store.read = key => (first ? (first = false, null) : read(key))
    exclusively(store, 'lock', new AbortController().signal, async () => {
      most = Math.max(most, ++under)
      await new Promise(over => setTimeout(over, 400))
      under--
      done++
    })
  }
  for (let i = 0; i < 200; i++) {
    await settled()
    t.mock.timers.tick(20)
  }
  assert.deepEqual({ most, done }, { most: 1, done: 3 })
})
