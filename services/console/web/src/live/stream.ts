import { type Fault, offline, problem } from '../api/fault';
import { type Heard, sse } from './sse';

/** Connection is what people are told of the stream. */
export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'waiting'; tries: number; at: number; fault: Fault }
  | { state: 'ended' };

interface Listener {
  heard(event: Heard): void;
  changed(now: Connection): void;
  /** the session is over: the stream has ended, and is opened anew after the next sign-in */
  signedOut(): void;
}

// The server says something every 15 s; whoever is silent for longer than two of those is gone, whatever TCP thinks.
const silence = 35_000;
const longest = 30_000;

/**
 * Stream is the one connection on which everything that happens is heard. It goes on from the last event that was heard, so that
 * nothing is missed and nothing has to be polled; where the server does not keep that position any more, it says resync.
 */
export class Stream {
  private last = '';
  private tries = 0;
  private abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private over = false;
  private live = false;

  constructor(
    private readonly to: Listener,
    private readonly fetching: typeof fetch = fetch.bind(globalThis),
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    void this.connect();
  }

  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.abort.abort();
  }

  /** wake connects at once if the connection is not proven to be alive: after a sleep, or when the network is back. */
  wake(): void {
    if (this.over || (this.tries === 0 && this.now() - this.heardAt < silence / 2)) return;
    this.tries = 0;
    void this.connect();
  }

  private async connect(): Promise<void> {
    this.abort.abort();
    clearTimeout(this.timer);
    const abort = new AbortController();
    this.abort = abort;
    this.live = false;
    this.to.changed({ state: 'connecting' });
    try {
      const url = this.last ? `/v1/events?after=${encodeURIComponent(this.last)}` : '/v1/events';
      const response = await this.fetching(url, { signal: abort.signal, headers: { Accept: 'text/event-stream' }, cache: 'no-store', credentials: 'same-origin' });
      if (response.status === 401) {
        this.stop();
        this.to.changed({ state: 'ended' });
        this.to.signedOut();
        return;
      }
      if (!response.ok || !response.body) throw await problem(response);
      await this.read(response.body, abort);
      throw offline('the stream was cut');
    } catch (error) {
      if (this.abort !== abort || this.over) return; // a newer connection has taken over
      this.again(error as Fault);
    }
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
    const parse = sse();
    let guard: ReturnType<typeof setTimeout> | undefined;
    try {
      for (;;) {
        clearTimeout(guard);
        guard = setTimeout(() => void reader.cancel().catch(() => undefined), silence);
        const { done, value } = await reader.read();
        if (done || this.abort !== abort) return;
        this.heardAt = this.now();
        this.alive();
        for (const event of parse(value)) {
          if (event.id) this.last = event.id;
          this.to.heard(event);
        }
      }
    } finally {
      clearTimeout(guard);
    }
  }

  private alive(): void {
    this.tries = 0;
    if (this.live) return;
    this.live = true;
    this.to.changed({ state: 'live' });
  }

  private again(fault: Fault): void {
    const wait = pause(this.tries, fault.after, Math.random());
    this.tries += 1;
    this.to.changed({ state: 'waiting', tries: this.tries, at: this.now() + wait, fault });
    this.timer = setTimeout(() => void this.connect(), wait);
  }
}

/** pause is how long to wait before try number tries (from 0): doubling, spread, and never less than the server asks for. */
export function pause(tries: number, after: number | undefined, random: number): number {
  const doubled = Math.min(longest, 500 * 2 ** tries);
  return Math.max(doubled * (0.5 + random / 2), (after ?? 0) * 1000);
}
