import { api, data } from '../../api/client';
import { faultOf } from '../../api/fault';
import { toast } from '../../parts/toast';
import { worded } from '../../parts/words';
import { action, met, type Person, type Said, say } from './people';
import { type Account, idOf, type Inbound } from './types';

/** What is done, and what the phone shows of it. */
export type What = Partial<Inbound> & { kind: NonNullable<Inbound['kind']> };

let made = 0;

/** useAct does something as the customer, and shows at once that it is under way. What the provider does not know is told, and not kept. */
export function useAct(account: Account, person: Person) {
  const id = idOf(account);
  return async (what: What): Promise<boolean> => {
    const one: Said = {
      key: `${Date.now()}-${(made += 1)}`,
      kind: what.kind,
      text: what.text ?? (what.kind === 'reaction' && !what.removed ? '👍' : ''),
      at: new Date().toISOString(),
      target: what.target,
      quote: what.reply_to,
      file: what.media?.name,
      state: 'under way',
    };
    say(id, person.from, one);
    try {
      const told = await data(api.POST('/simulator/inbound', { body: action(account.type, account.id, person, what) }));
      const taken = told.status >= 200 && told.status < 300;
      met(id, person.from, told.peer);
      say(id, person.from, { ...one, ...(told.id && { id: told.id }), state: taken ? 'taken' : 'not taken', status: told.status });
      return true;
    } catch (error) {
      say(id, person.from, { ...one, state: 'not taken', status: faultOf(error).status });
      toast('alert', worded(error));
      return false;
    }
  };
}
