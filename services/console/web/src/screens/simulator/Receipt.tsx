import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, data } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { oneLine } from '../../parts/plain';
import { Refused } from '../../parts/Refused';
import { clock } from '../../parts/time';
import type { Person } from './people';
import { playedAs } from './providers';
import { bare, type Account, type Sent } from './types';

/** Receipt tells by hand what became of a message; twice, if somebody wants to see that nothing happens the second time. */
export function Receipt({ account, person, messages }: { account: Account; person: Person; messages: Sent[] }) {
  const own = messages.filter((m) => bare(m.to) === bare(person.peer ?? person.from)).slice(-20).reverse();
  const [id, setId] = useState('');
  const { receipts: states } = playedAs(account.type);
  const [status, setStatus] = useState(states.includes('read') ? 'read' : (states[0] ?? ''));
  const [code, setCode] = useState('131026');
  const of = own.find((m) => m.id === id) ?? own[0];
  const tell = useMutation({
    mutationFn: async (times: number) => {
      const answers: number[] = [];
      for (let n = 0; n < times; n += 1) {
        const told = await data(
          api.POST('/simulator/receipts', { body: { type: account.type, account: account.id, id: of?.id ?? '', status, ...(status === 'failed' && { error: Number(code) || 0 }) } }),
        );
        answers.push(told.status);
      }
      return answers;
    },
  });
  if (states.length === 0) return <p className="help">{i18n._('This provider tells nothing about what became of a message: there are no receipts.')}</p>;
  return (
    <form
      className="ml"
      onSubmit={(e) => {
        e.preventDefault();
        if (of) tell.mutate(1);
      }}
    >
      <b>{i18n._('A receipt by hand')}</b>
      {of ? (
        <>
          <div className="minis">
            <label className="mini wide">
              <span className="t2 dim">{i18n._('Message')}</span>
              <select className="in" value={of.id} onChange={(e) => setId(e.target.value)}>
                {own.map((m) => (
                  <option key={m.seq} value={m.id}>
                    {clock(m.at)} {oneLine(m.text ?? '', 40) || m.kind}
                  </option>
                ))}
              </select>
            </label>
            <label className="mini wide">
              <span className="t2 dim">{i18n._('Status')}</span>
              <select className="in" value={status} onChange={(e) => setStatus(e.target.value)}>
                {states.map((s) => (
                  <option key={s}>{s}</option>
                ))}
              </select>
            </label>
            {status === 'failed' && (
              <label className="mini">
                <span className="t2 dim">{i18n._('Code')}</span>
                <input className="in" inputMode="numeric" value={code} onChange={(e) => setCode(e.target.value)} />
              </label>
            )}
          </div>
          <div className="row wrap">
            <button type="submit" className="btn">
              {i18n._('Send the receipt')}
            </button>
            <button type="button" className="btn" onClick={() => tell.mutate(2)}>
              {i18n._('Send it twice')}
            </button>
            <span className="t2 dim" role="status">
              {tell.data && i18n._('The gateway answered {answers}', { answers: tell.data.join(', ') })}
            </span>
          </div>
          {tell.error && tell.variables && <Refused error={tell.error} again={() => tell.mutate(tell.variables)} />}
        </>
      ) : (
        <p className="help">{i18n._('Nothing was sent to {name} yet.', { name: person.name })}</p>
      )}
    </form>
  );
}
