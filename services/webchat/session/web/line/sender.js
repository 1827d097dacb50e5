import { backOff } from './machine.js'

// Sender says what is in the outbox: in order, one frame at a time, so that a refused frame is not overtaken by the one
// behind it. deliver(frame) resolves to the server's answer, {t: 'ack'} or {t: 'error'}; it rejects where nothing was
// answered. The one timer is the pause after a refusal, and it outlasts the connection: connecting again shortens no
// pause.
export class Sender {
  constructor({ outbox, deliver, answered, signal, random = Math.random }) {
    Object.assign(this, { outbox, deliver, answered, signal, random })
    this.open = false // there is a connection
    this.turn = 0 // of the connection; what was asked over a former one is not waited for
    this.busy = false
    this.failures = 0
    this.timer = 0
    signal.addEventListener('abort', () => { this.pause(); clearTimeout(this.timer) })
  }

  // ready says that there is a connection.
  ready() {
    this.pause()
    this.open = true
    this.kick()
  }

  // pause says that there is none. What was under way is said again under its clientId.
  pause() {
    this.open = this.busy = false
    this.turn++
  }

  // kick sends the first frame, unless one is under way or a refusal says to wait.
  kick() {
    if (!this.open || this.busy || this.timer || this.signal.aborted) return
    const frame = this.outbox.first()
    if (!frame) return
    const turn = this.turn
    this.busy = true
    this.deliver(frame).then(
      answer => { if (turn === this.turn) this.take(frame, answer) },
      () => { if (turn === this.turn) this.wait(0) },
    )
  }

  take(frame, answer) {
    this.busy = false
    if (answer.t === 'error' && answer.retryable) {
      this.answered(frame, answer)
      return this.wait(answer.retryAfterMs)
    }
    this.failures = 0
    this.outbox.settle(frame.clientId)
    this.answered(frame, answer)
    this.kick()
  }

  wait(after) {
    this.busy = false
    this.failures++
    this.timer = setTimeout(() => { this.timer = 0; this.kick() }, backOff(this.failures, this.random(), after))
  }
}
