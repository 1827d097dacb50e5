/** Notice is the data of an event of the stream: enough to know what to look at, not what was said. */
export interface Notice {
  conversation_id?: string;
  contact_id?: string;
  message_id?: string;
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

// What happens within this time is read once.
const spacing = 120;

/**
 * Gatherer collects what has to be read again, and has it read in rounds: one at a time, each with everything that came up during the
 * one before. However much happens, every thing is asked for once per round.
 */
export class Gatherer {
  private conversations = new Set<string>();
  private messages = new Map<string, string>();
  private running = false;

  constructor(private readonly read: (conversations: string[], messages: Map<string, string>) => Promise<void>) {}

  conversation(id: string): void {
    this.conversations.add(id);
    this.go();
  }

  message(id: string, conversation: string): void {
    this.messages.set(id, conversation);
    this.conversation(conversation);
  }

  private go(): void {
    if (this.running) return;
    this.running = true;
    queueMicrotask(() => void this.rounds());
  }

  private async rounds(): Promise<void> {
    while (this.conversations.size > 0) {
      const conversations = [...this.conversations];
      const messages = this.messages;
      this.conversations = new Set();
      this.messages = new Map();
      await this.read(conversations, messages).catch(() => undefined); // whoever looks at it next reads it
      await new Promise((done) => setTimeout(done, spacing));
    }
    this.running = false;
  }
}
