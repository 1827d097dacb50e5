import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, type Caller, type Conversation, data, type Schemas } from '../../../api/client';
import { type Fault, faultOf } from '../../../api/fault';
import { me } from '../../../api/queries';
import { keepConversation, readListsAgain } from '../../../live/lists';

type Do = (path: { id: string }, header: { 'If-Match'?: string }) => Promise<{ data?: Conversation }>;

/** Refused is an action that did not happen: why, and how to do it all the same where that is possible. */
export interface Refused {
  fault: Fault;
  what: string;
  anyway?: () => void;
}

/** useActions are what can be done to a conversation. Each says which version it was meant for; what was changed meanwhile is asked about once. */
export function useActions(c: Conversation | undefined) {
  const cache = useQueryClient();
  const [refused, setRefused] = useState<Refused>();
  const busy = useRef(false);

  const act = async (what: string, run: Do, free?: boolean): Promise<boolean> => {
    if (!c || busy.current) return false;
    busy.current = true;
    setRefused(undefined);
    const caller = cache.getQueryData<Caller>(me.queryKey);
    // As it is on the screen now: an undo comes after the change that it takes back.
    const { version } = cache.getQueryData<Conversation>(['conversation', c.id]) ?? c;
    try {
      const now = await data(run({ id: c.id }, free ? {} : { 'If-Match': `"${version}"` }));
      if (caller) void readListsAgain(cache, keepConversation(cache, now, caller));
      return true;
    } catch (error) {
      const fault = faultOf(error);
      if (fault.status === 412 || fault.status === 409) void cache.invalidateQueries({ queryKey: ['conversation', c.id] });
      setRefused({ fault, what, ...(fault.status === 412 && { anyway: () => void act(what, run, true) }) });
      return false;
    } finally {
      busy.current = false;
    }
  };

  return {
    refused,
    dismiss: () => setRefused(undefined),
    take: (what: string) => act(what, (path, header) => api.POST('/v1/conversations/{id}/take', { params: { path, header } })),
    assign: (what: string, body: Schemas['Assignment']) => act(what, (path, header) => api.POST('/v1/conversations/{id}/assign', { params: { path, header }, body })),
    transfer: (what: string, body: Schemas['Assignment']) => act(what, (path, header) => api.POST('/v1/conversations/{id}/transfer', { params: { path, header }, body })),
    close: (what: string, body: Schemas['CloseNote']) => act(what, (path, header) => api.POST('/v1/conversations/{id}/close', { params: { path, header }, body })),
    reopen: (what: string) => act(what, (path, header) => api.POST('/v1/conversations/{id}/reopen', { params: { path, header } })),
    snooze: (what: string, until: Date) =>
      act(what, (path, header) => api.POST('/v1/conversations/{id}/snooze', { params: { path, header }, body: { until: until.toISOString() } })),
    unsnooze: (what: string) => act(what, (path, header) => api.POST('/v1/conversations/{id}/unsnooze', { params: { path, header } })),
    tag: (what: string, tags: string[]) => act(what, (path, header) => api.POST('/v1/conversations/{id}/tags', { params: { path, header }, body: { tags } })),
    prioritize: (what: string, priority: Conversation['priority']) =>
      act(what, (path, header) => api.POST('/v1/conversations/{id}/priority', { params: { path, header }, body: { priority } })),
    bot: (what: string, active: boolean) => act(what, (path, header) => api.POST('/v1/conversations/{id}/bot', { params: { path, header }, body: { active } })),
    read: () => act('', (path) => api.POST('/v1/conversations/{id}/read', { params: { path } }), true),
    unread: (what: string) => act(what, (path) => api.POST('/v1/conversations/{id}/unread', { params: { path } }), true),
  };
}

export type Actions = ReturnType<typeof useActions>;
