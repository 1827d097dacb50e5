import { useEffect, useState } from 'react';
import { api, data } from '../../api/client';
import type { Call, Hook, Sent } from './types';

/** Feed is what the simulated provider of an account saw: the latest of it. */
export interface Feed {
  messages: Sent[];
  calls: Call[];
  hooks: Hook[];
  read: boolean;
  error?: unknown;
}

interface Page<T> {
  data: T[];
  last: number;
  has_more: boolean;
}

// The simulator has no stream. While the page is seen it is asked what is new, and for nothing else.
const pause = 1000;
const most = 500;
const none: Feed = { messages: [], calls: [], hooks: [], read: false };

/** tail follows one list: its newest entries first, then what is behind the last one. A smaller number says that the list began anew. */
export function tail<T extends { seq: number }>(read: (query: { after?: number; newest?: true; limit: number }) => Promise<Page<T>>) {
  let after: number | undefined;
  let kept: T[] = [];
  const next = async (): Promise<T[]> => {
    const page = await read(after === undefined ? { newest: true, limit: 200 } : { after, limit: most });
    if (after !== undefined && page.last < after) {
      after = undefined;
      kept = [];
      return next();
    }
    const behind = page.has_more && after !== undefined ? page.data.at(-1)?.seq : page.last;
    after = behind ?? page.last;
    if (page.data.length > 0) kept = [...kept, ...page.data].slice(-most);
    return kept;
  };
  return next;
}

/** useFeed follows what the provider of an account sees, for as long as the page is in sight. */
export function useFeed(type: string, account: string, round: number): Feed {
  const [feed, setFeed] = useState<Feed>(none);
  useEffect(() => {
    const of = { type, account };
    const messages = tail<Sent>((query) => data(api.GET('/simulator/messages', { params: { query: { ...of, ...query } } })));
    const calls = tail<Call>((query) => data(api.GET('/simulator/calls', { params: { query: { ...of, ...query } } })));
    const hooks = tail<Hook>((query) => data(api.GET('/simulator/webhooks/log', { params: { query: { ...of, ...query } } })));
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    let busy = false;
    setFeed(none);
    const look = async () => {
      if (over || busy || document.visibilityState !== 'visible') return;
      clearTimeout(timer);
      busy = true;
      try {
        const [m, c, h] = await Promise.all([messages(), calls(), hooks()]);
        if (!over) setFeed((f) => (f.read && !f.error && f.messages === m && f.calls === c && f.hooks === h ? f : { messages: m, calls: c, hooks: h, read: true }));
      } catch (error) {
        if (!over) setFeed((f) => ({ ...f, read: true, error }));
      }
      busy = false;
      if (!over) timer = setTimeout(() => void look(), pause);
    };
    const seen = () => void look();
    document.addEventListener('visibilitychange', seen);
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [type, account, round]);
  return feed;
}
