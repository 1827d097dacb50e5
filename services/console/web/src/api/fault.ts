import type { components } from './schema.gen';

type Problem = components['schemas']['Problem'];

/** Fault is a call that did not succeed: a problem that the API answered with, or no answer at all. */
export class Fault extends Error {
  constructor(
    readonly problem: Problem & { open_conversation_id?: string; allowed?: string[] },
    /** seconds after which the server wants to be asked again */
    readonly after?: number,
  ) {
    super(problem.detail || problem.title);
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }

  /** passing says that the same call may succeed later, unchanged. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503 || this.status === 401;
  }
}

/** problem reads an answer that is not 2xx. What is no problem+json (a proxy's page) is described by its status alone. */
export async function problem(response: Response): Promise<Fault> {
  const after = Number(response.headers.get('Retry-After')) || undefined;
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    try {
      return new Fault((await response.json()) as Problem, after);
    } catch {
      // Cut off in the middle: the status is all there is.
    }
  }
  const code = response.status === 429 ? 'rate_limited' : response.status >= 502 ? 'unavailable' : 'internal';
  return new Fault(
    { type: 'about:blank', title: `HTTP ${response.status}`, status: response.status === 502 || response.status === 504 ? 503 : response.status, code, retryable: response.status >= 500 },
    after,
  );
}

/** offline is the fault of a call that got no answer. */
export function offline(error: unknown): Fault {
  return new Fault({ type: 'about:blank', title: 'No answer', status: 0, code: 'offline', detail: String(error), retryable: true });
}

/** faultOf makes a Fault of whatever was thrown. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault({ type: 'about:blank', title: 'Error', status: 500, code: 'internal', detail: String(error), retryable: false });
}
