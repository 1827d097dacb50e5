/** Heard is one event of the stream. */
export interface Heard {
  id?: string;
  type: string;
  data: string;
}

/** sse returns a function that takes the stream's text as it comes and returns the events that it completes. */
export function sse(): (chunk: string) => Heard[] {
  let rest = '';
  let now: Partial<Heard> = {};
  return (chunk) => {
    const out: Heard[] = [];
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (now.type !== undefined || now.data !== undefined) out.push({ type: 'message', data: '', ...now });
        now = {};
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue; // a heartbeat
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') now.id = value;
      if (field === 'event') now.type = value;
      if (field === 'data') now.data = now.data === undefined ? value : `${now.data}\n${value}`;
    }
    return out;
  };
}
