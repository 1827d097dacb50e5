import { useEffect, useMemo, useRef, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Avatar } from '../../parts/Avatar';
import { Icon } from '../../parts/Icon';
import { IconMenu, Menu, MenuChoice, MenuHead, MenuItem, MenuLine } from '../../parts/Menu';
import { day } from '../../parts/time';
import { Composer } from './Composer';
import { NewPerson } from './NewPerson';
import { forget, type usePeople } from './people';
import { Row } from './Row';
import { latest, talk } from './talk';
import { type Account, type Hook, idOf, type Sent } from './types';
import { useAct } from './useAct';

/** Phone is the talk as the customer sees it, and where the customer writes. */
export function Phone({ account, name, played, messages, hooks }: { account: Account; name: string; played: ReturnType<typeof usePeople>; messages: Sent[]; hooks: Hook[] }) {
  const { person, people, said } = played;
  const id = idOf(account);
  const rows = useMemo(() => talk(person, said, messages, hooks), [person, said, messages, hooks]);
  const [marked, setMarked] = useState<string>();
  const [adding, setAdding] = useState(false);
  const act = useAct(account, person);
  const body = useRef<HTMLDivElement>(null);
  const last = rows.at(-1)?.key;
  useEffect(() => {
    if (last && body.current) body.current.scrollTop = body.current.scrollHeight;
  }, [last]);
  const chosen = rows.find((r) => r.id && r.id === marked);
  return (
    <div className="stage">
      <section className="phone" aria-label={i18n._('The customer’s phone')}>
        <header className="row">
          <Avatar id={account.id} name={name} size="md" />
          <div className="sp">
            <b className="cut">
              <bdi>{name}</bdi>
            </b>
            <Menu
              label={i18n._('Who writes')}
              button={
                <button type="button" className="who t2 dim">
                  <span className="cut">
                    {i18n._('as {name} sees it', { name: person.name })} · <bdi>{person.from}</bdi>
                  </span>
                  <Icon name="down" small />
                </button>
              }
            >
              <MenuHead>{i18n._('Who writes')}</MenuHead>
              {people.map((p) => (
                <MenuChoice key={p.from} checked={p.from === person.from} onSelect={() => played.pick(p.from)}>
                  <span className="cut">
                    <bdi>{p.name}</bdi> <bdi className="faint">{[p.from, p.post].filter(Boolean).join(' · ')}</bdi>
                  </span>
                </MenuChoice>
              ))}
              <MenuLine />
              <MenuItem icon="plus" onSelect={() => setAdding(true)}>
                {i18n._('Somebody else…')}
              </MenuItem>
            </Menu>
          </div>
          <IconMenu label={i18n._('More')} align="end">
            <MenuItem icon="flag" onSelect={() => void act({ kind: 'block' })}>
              {i18n._('Block the account')}
            </MenuItem>
            <MenuItem icon="check" onSelect={() => void act({ kind: 'unblock' })}>
              {i18n._('Unblock it')}
            </MenuItem>
            <MenuLine />
            <MenuItem icon="trash" onSelect={() => forget(id, person.from)}>
              {i18n._('Forget what was written here')}
            </MenuItem>
            <MenuItem icon="x" disabled={people.length < 2} onSelect={() => played.remove(person.from)}>
              {i18n._('Forget {name}', { name: person.name })}
            </MenuItem>
          </IconMenu>
        </header>
        <div ref={body} className="pbody" role="log" aria-label={i18n._('Messages')} tabIndex={0}>
          {rows.length === 0 && <p className="t2 faint hint">{i18n._('Write the first message: the channel hears it as from the provider.')}</p>}
          {rows.map((r, n) => {
            const before = rows[n - 1];
            return (
              <Dated key={r.key} at={r.at} before={before?.at}>
                <Row
                  bubble={r}
                  quoted={rows.find((x) => x.id && x.id === r.quote)}
                  marked={r.id !== undefined && r.id === marked}
                  onMark={r.id && !r.event ? () => setMarked(r.id === marked ? undefined : r.id) : undefined}
                  onPress={(c) => void act({ kind: 'button', text: c.title, button: c.id, target: r.id })}
                />
              </Dated>
            );
          })}
        </div>
        <Composer account={account} person={person} chosen={chosen} latest={latest(rows)} onRelease={() => setMarked(undefined)} />
      </section>
      {adding && (
        <NewPerson
          type={account.type}
          onClose={() => setAdding(false)}
          onDone={(p) => {
            played.add(p);
            setAdding(false);
          }}
        />
      )}
    </div>
  );
}

function Dated({ at, before, children }: { at: string; before: string | undefined; children: React.ReactNode }) {
  return (
    <>
      {(!before || day(before) !== day(at)) && <div className="day">{day(at)}</div>}
      {children}
    </>
  );
}
