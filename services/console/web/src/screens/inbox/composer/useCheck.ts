import { useEffect, useState } from 'react';
import { api, data, type MessageCheck, type MessageInput } from '../../../api/client';

// Checked when somebody pauses, not at every key.
const pause = 350;

/**
 * useCheck asks the server what sending a message would do: its parts and segments, the window, and everything that is wrong with it.
 * The answer stays until there is a newer one; stale says that it is about an earlier text.
 */
export function useCheck(conversation: string, input: MessageInput | undefined, version: number): { check: MessageCheck | undefined; stale: boolean } {
  const wanted = input && JSON.stringify(input);
  const [answer, setAnswer] = useState<{ of: string; check: MessageCheck }>();
  useEffect(() => {
    if (wanted === undefined) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      data(
        api.POST('/v1/conversations/{id}/messages/check', {
          params: { path: { id: conversation } },
          body: JSON.parse(wanted) as MessageInput,
          signal: abort.signal,
        }),
      ).then(
        (check) => !abort.signal.aborted && setAnswer({ of: wanted, check }),
        () => undefined, // sending says it
      );
    }, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [conversation, wanted, version]);
  return { check: wanted === undefined ? undefined : answer?.check, stale: answer?.of !== wanted };
}
