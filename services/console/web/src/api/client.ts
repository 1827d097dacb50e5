import createClient, { type Middleware } from 'openapi-fetch';
import { Fault, offline, problem } from './fault';
import type { components, paths } from './schema.gen';

export type Schemas = components['schemas'];
export type Conversation = Schemas['Conversation'];
export type Message = Schemas['Message'];
export type MessageInput = Schemas['MessageInput'];
export type TimelineItem = Schemas['TimelineItem'];
export type TimelineEvent = Schemas['Event'];
export type Contact = Schemas['Contact'];
export type Agent = Schemas['Agent'];
export type Queue = Schemas['Queue'];
export type Caller = Schemas['Caller'];
export type Attachment = Schemas['Attachment'];
export type Window = Schemas['Window'];
export type MessageCheck = Schemas['MessageCheck'];

const signedOut = new Set<() => void>();

/** onSignedOut calls f whenever an answer says that there is no session any more. */
export function onSignedOut(f: () => void): () => void {
  signedOut.add(f);
  return () => signedOut.delete(f);
}

/** sessionIsOver tells everybody who asked to be told with onSignedOut. */
export function sessionIsOver(): void {
  for (const f of signedOut) f();
}

// Every answer that is not 2xx becomes a Fault, and so does a call that got no answer.
const faults: Middleware = {
  async onResponse({ response, request }) {
    if (response.ok) return;
    const fault = await problem(response);
    // Signing in, and asking who one is, is also done without a session.
    if (fault.status === 401 && !/\/auth\/(login|me)$/.test(new URL(request.url).pathname)) sessionIsOver();
    throw fault;
  },
  onError({ error }) {
    return error instanceof Fault ? error : offline(error);
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin' });
api.use(faults);

/** data returns what an answer carries; middleware has thrown for everything that is not 2xx. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
