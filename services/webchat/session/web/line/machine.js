// What a session does next: one pure function of its state and of what happened. session.js carries out the effects.
//
//   idle → opening → connecting → online            the socket
//                              ↘ polling            long poll where no socket gets through; one is tried every minute
//   waiting: until the back-off is over, then on     offline: until the browser has a network again
//   refused: the server wants no more of us          ended: another session has taken over

const ms = {
  connect: 8_000, ping: 25_000, pong: 10_000, look: 5_000, probe: 60_000,
  offline: 30_000, most: 30_000, tooMuch: 60_000,
}

// maxRetryAfter is the longest time in ms for which a server may send us away.
export const maxRetryAfter = 300_000

export const initial = Object.freeze({
  mode: 'idle', then: 'opening', failures: 0, sockets: 0, renewed: false, pinged: false, bound: false,
})

// backOff returns the ms to wait after so many failures in a row: exponential, half of it random, and no less than the
// server asked for. random is from 0 to 1.
export function backOff(failures, random, after = 0) {
  const own = Math.min(ms.most, 1000 * 2 ** Math.min(failures - 1, 5)) * (0.5 + random / 2)
  const asked = Math.min(Number(after) > 0 ? Number(after) : 0, maxRetryAfter)
  return Math.round(Math.max(own, asked + random * Math.min(asked, 1000)))
}

const to = (state, change, ...effects) => ({ state: { ...state, ...change }, effects })
const told = (connected, refused = '') => ({ do: 'tell', connected, refused })
const timer = wait => ({ do: 'timer', ms: wait })

// enter begins a mode that has something to do.
function enter(state, mode) {
  switch (mode) {
    case 'opening': return to(state, { mode }, { do: 'open' })
    case 'polling': return to(state, { mode }, { do: 'poll' }, { do: 'ready' }, told(true), timer(ms.probe))
    default: return to(state, { mode: 'connecting' }, { do: 'connect' }, timer(ms.connect))
  }
}

// rest waits before mode is entered. A wait that the server asked for is bound: nothing shortens it.
function rest(state, event, mode, change = {}) {
  const failures = state.failures + 1
  const wait = timer(backOff(failures, event.random ?? 0, event.after))
  const waiting = { ...change, failures, bound: event.after > 0, mode: 'waiting', then: mode }
  return to(state, waiting, { do: 'stop' }, told(false), wait)
}

// expired renews the session, with a pause if that was of no use just before.
function expired(state, event) {
  if (state.renewed) return rest(state, event, 'opening')
  return both({ do: 'stop' }, enter({ ...state, renewed: true }, 'opening'))
}

const both = (effect, step) => ({ ...step, effects: [effect, ...step.effects] })
const refuse = (state, event) =>
  to(state, { mode: 'refused' }, { do: 'stop' }, told(false, event.detail || 'The chat is not available here.'))
const goOffline = then => state => to(state, { mode: 'offline', then }, { do: 'stop' }, told(false), timer(ms.offline))

// closed says what the end of a socket means, by its code.
function closed(state, event) {
  switch (event.code) {
    case 4401: return expired(state, event)
    case 4403: return refuse(state, event)
    case 4429: return rest(state, { ...event, after: ms.tooMuch }, 'connecting')
  }
  if (state.mode === 'online') return rest(state, event, 'connecting')
  const sockets = state.sockets + 1
  if (sockets >= 2) return both({ do: 'stop' }, enter({ ...state, sockets }, 'polling'))
  return rest(state, event, 'connecting', { sockets })
}

const stay = state => to(state, {})
const ping = (state, wait, change) => to(state, { ...change, pinged: true }, { do: 'ping' }, timer(wait))
const check = state => ping(state, ms.look)
const again = state => enter(state, state.then)
const sooner = state => (state.bound ? stay(state) : again(state))

// steady is what a socket changes that has held for a while; one that is greeted and closed at once again does not.
const steady = { failures: 0, renewed: false }

const table = {
  idle: {
    start: state => enter(state, 'opening'),
  },
  opening: {
    opened: state => enter(state, state.sockets >= 2 ? 'polling' : 'connecting'),
    failed: (state, event) => rest(state, event, 'opening'),
    refused: refuse,
    offline: goOffline('opening'),
  },
  connecting: {
    greeted: state =>
      to(state, { mode: 'online', sockets: 0, pinged: false }, told(true), { do: 'ready' }, timer(ms.look)),
    closed,
    timer: closed,
    failed: closed,
    offline: goOffline('connecting'),
  },
  online: {
    closed,
    failed: closed,
    expired,
    refused: refuse,
    heard: state => (state.pinged ? to(state, { pinged: false }, timer(ms.ping)) : stay(state)),
    timer: (state, event) => (state.pinged ? closed(state, event) : ping(state, ms.pong, steady)),
    visible: check,
    online: check,
    offline: goOffline('connecting'),
  },
  polling: {
    polled: state => to(state, steady, { do: 'poll' }),
    failed: (state, event) => (event.status
      ? rest(state, event, 'polling')
      : rest(state, event, 'connecting', { sockets: 0 })), // it is the network, not the sockets
    expired,
    refused: refuse,
    timer: state => both({ do: 'stop' }, enter({ ...state, sockets: 1 }, 'connecting')),
    offline: goOffline('connecting'),
  },
  waiting: {
    timer: again,
    online: sooner,
    visible: sooner,
    offline: state => (state.bound ? stay(state) : goOffline(state.then)(state)),
  },
  offline: {
    online: again,
    timer: again,
  },
  refused: {},
  ended: {},
}

export const modes = Object.keys(table)

// next returns {state, effects}. What a mode does not name changes nothing; end ends it from wherever it is.
export function next(state, event) {
  if (event.type === 'end' && state.mode !== 'ended') return to(state, { mode: 'ended' }, { do: 'stop' })
  const rule = table[state.mode][event.type]
  return rule ? rule(state, event) : stay(state)
}
