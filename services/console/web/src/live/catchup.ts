/** Notice is the data of an event of the stream: enough to know what to look at, not what was said. */
export interface Notice {
  conversation_id?: string;
  contact_id?: string;
  message_id?: string;
  /** the place in the timeline of what was added, or of the message that was changed */
  seq?: number;
  kind?: string;
  what?: string;
  direction?: string;
  status?: string;
  assignee_id?: string;
  queue_id?: string;
  typing?: boolean;
  by?: { kind: string; id?: string; name?: string };
  at?: string;
}

/** Told is what was said of one conversation since it was read last. */
export interface Told {
  /** the places of what was added to its timeline */
  added: Set<number>;
  /** the messages that were changed */
  changed: Set<string>;
}

/**
 * Gatherer collects what has to be read again, and has it read in rounds: one at a time, each with everything that came up during the
 * one before. However much happens, every thing is asked for once per round.
 */
export class Gatherer {
  private told = new Map<string, Told>();
  private wanted = false;
  private running = false;

  constructor(
    private readonly read: (told: Map<string, Told>) => Promise<void>,
    /** how many milliseconds to rest after a round that took so many */
    private readonly rest: (took: number) => number,
  ) {}

  added(conversation: string, place: number | undefined): void {
    const { added } = this.of(conversation);
    if (place !== undefined) added.add(place);
    this.wake();
  }

  changed(conversation: string, message: string): void {
    this.of(conversation).changed.add(message);
    this.wake();
  }

  /** wake asks for a round, also if nothing was told. */
  wake(): void {
    this.wanted = true;
    if (this.running) return;
    this.running = true;
    queueMicrotask(() => void this.rounds());
  }

  private of(conversation: string): Told {
    let t = this.told.get(conversation);
    if (!t) this.told.set(conversation, (t = { added: new Set(), changed: new Set() }));
    return t;
  }

  private async rounds(): Promise<void> {
    while (this.wanted) {
      const told = this.told;
      this.told = new Map();
      this.wanted = false;
      const began = performance.now();
      await this.read(told).catch(() => undefined); // whoever looks at it next reads it
      await new Promise((done) => setTimeout(done, this.rest(performance.now() - began)));
    }
    this.running = false;
  }
}
