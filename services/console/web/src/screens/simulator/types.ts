import type { Schemas } from '../../api/client';

export type Account = Schemas['SimulatedAccount'];
export type Sent = Schemas['SimulatedMessage'];
export type Call = Schemas['SimulatedProviderCall'];
export type Hook = Schemas['SimulatedWebhook'];
export type Inbound = Schemas['SimulatedInbound'];
export type Kind = NonNullable<Inbound['kind']>;
export type Script = Schemas['SimulatedScript'];

/** bare is a phone number without its plus, as messages name whom they go to. */
export const bare = (id: string) => id.replace(/^\+/, '');

/** idOf is how an account is told from all others. */
export const idOf = (a: { type: string; id: string }) => `${a.type} ${a.id}`;
