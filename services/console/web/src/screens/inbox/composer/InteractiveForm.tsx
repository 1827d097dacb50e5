import type { ReactNode } from 'react';
import { i18n } from '../../../locales/i18n';
import { choiceName } from '../choices';
import type { InteractiveRule } from '../rules';
import { local } from '../talk/snoozes';
import { Less, More, PlaceForm, Text } from './fields';
import { type Choice, choice, doing, has, type Interactive } from './parts';

/** InteractiveForm fills in something to choose from, with what the channel takes of it. */
export function InteractiveForm({ v, rule, text, put }: { v: Interactive; rule: InteractiveRule | undefined; text: ReactNode; put: (v: Interactive) => void }) {
  const all = v.sections?.flatMap((s) => s.rows ?? []) ?? [];
  const full = !!rule?.max_items && (v.buttons?.length ?? all.length) >= rule.max_items;
  const section = (n: number, change: Partial<NonNullable<Interactive['sections']>[number]>) => put({ ...v, sections: v.sections?.map((s, k) => (k === n ? { ...s, ...change } : s)) });
  const words = rule?.cards
    ? { name: (n: number) => i18n._('Card {n}', { n }), more: i18n._('Another card'), less: i18n._('Remove the card'), title: i18n._('Title of the card') }
    : { name: (n: number) => i18n._('Section {n}', { n }), more: i18n._('Another section'), less: i18n._('Remove the section'), title: i18n._('Title of the section') };
  return (
    <>
      {has(rule, 'header') && <Text at="/interactive/header" name={i18n._('Header')} max={rule?.max_header || 1024} value={v.header} put={(header) => put({ ...v, header })} />}
      {has(rule, 'body') && text}
      {has(rule, 'footer') && <Text at="/interactive/footer" name={i18n._('Footer')} max={rule?.max_footer || 1024} value={v.footer} put={(footer) => put({ ...v, footer })} />}
      {has(rule, 'button') && <Text at="/interactive/button" name={i18n._('Words on the button')} max={rule?.max_label || 1024} value={v.button} put={(button) => put({ ...v, button })} />}
      {has(rule, 'url') && <Text at="/interactive/url" name={i18n._('Address that it opens')} type="url" max={2048} value={v.url} put={(url) => put({ ...v, url })} />}
      {has(rule, 'flow') && <Text at="/interactive/flow/id" name={i18n._('Id of the flow')} max={512} value={v.flow?.id} put={(id) => put({ ...v, flow: { ...v.flow, id } })} />}
      {!!rule?.header_media?.length && (
        <p className="help">{rule.cards ? i18n._('The files of the message are the pictures of the cards, in order.') : i18n._('A file of the message is shown at its head.')}</p>
      )}
      {v.buttons && (
        <>
          {v.buttons.map((b, n) => (
            <ChoiceForm
              key={n}
              n={n + 1}
              at={`/interactive/buttons/${n}`}
              c={b}
              rule={rule}
              all={v.buttons ?? []}
              put={(to) => put({ ...v, buttons: v.buttons?.map((x, k) => (k === n ? to : x)) })}
              drop={() => put({ ...v, buttons: v.buttons?.filter((_, k) => k !== n) })}
            />
          ))}
          {!full && <More onClick={() => put({ ...v, buttons: [...(v.buttons ?? []), choice(v.buttons ?? [], rule)] })}>{i18n._('Another choice')}</More>}
        </>
      )}
      {v.sections?.map((s, n) => (
        <fieldset key={n} className="stack sect">
          <legend className={rule?.cards ? 'lb' : 'sr'}>{words.name(n + 1)}</legend>
          {has(rule, 'section_title') && <Text at={`/interactive/sections/${n}/title`} name={words.title} max={rule?.max_section_title || 1024} value={s.title} put={(title) => section(n, { title })} />}
          {has(rule, 'section_description') && (
            <Text at={`/interactive/sections/${n}/description`} name={i18n._('Text of the card')} lines={2} max={rule?.max_section_text || 4096} value={s.description} put={(description) => section(n, { description })} />
          )}
          {s.rows?.map((row, k) => (
            <ChoiceForm
              key={k}
              n={k + 1}
              at={`/interactive/sections/${n}/rows/${k}`}
              c={row}
              rule={rule}
              all={all}
              described={has(rule, 'description')}
              put={(to) => section(n, { rows: s.rows?.map((x, i) => (i === k ? to : x)) })}
              drop={() => section(n, { rows: s.rows?.filter((_, i) => i !== k) })}
            />
          ))}
          <div className="row">
            {!full && !(rule?.max_rows && (s.rows?.length ?? 0) >= rule.max_rows) && (
              <More onClick={() => section(n, { rows: [...(s.rows ?? []), choice(all, rule)] })}>{i18n._('Another choice')}</More>
            )}
            {(v.sections?.length ?? 0) > (rule?.min_sections || 1) && (
              <button type="button" className="btn link t2" onClick={() => put({ ...v, sections: v.sections?.filter((_, k) => k !== n) })}>
                {words.less}
              </button>
            )}
          </div>
        </fieldset>
      ))}
      {v.sections && !full && v.sections.length < (rule?.max_sections || 1) && <More onClick={() => put({ ...v, sections: [...(v.sections ?? []), { rows: [choice(all, rule)] }] })}>{words.more}</More>}
    </>
  );
}

interface ChoiceProps {
  n: number;
  /** its pointer in a message */
  at: string;
  c: Choice;
  rule: InteractiveRule | undefined;
  /** all choices of the message */
  all: Choice[];
  described?: boolean;
  put: (c: Choice) => void;
  drop: () => void;
}

function ChoiceForm({ n, at, c, rule, all, described, put, drop }: ChoiceProps) {
  const kinds = rule?.choices ?? [];
  const kind = c.kind ?? kinds[0];
  const what = i18n._('Choice {n}', { n });
  return (
    <fieldset className="pick">
      <legend className="sr">{what}</legend>
      <Text at={`${at}/title`} name={i18n._('Title of choice {n}', { n })} hint={i18n._('Title')} value={c.title} max={rule?.max_title || 1024} put={(title) => put({ ...c, title })} />
      {kinds.length > 1 && (
        <select className="in" aria-label={i18n._('What choice {n} does', { n })} value={kind} onChange={(e) => put(doing(c, e.target.value, choice(all, undefined).id ?? ''))}>
          {kinds.map((k) => (
            <option key={k} value={k}>
              {choiceName(k)}
            </option>
          ))}
        </select>
      )}
      {(kind === 'url' || kind === 'web_app') && <Text at={`${at}/url`} type="url" name={i18n._('Address of choice {n}', { n })} hint="https://" value={c.url} max={2048} put={(url) => put({ ...c, url })} />}
      {kind === 'dial' && <Text at={`${at}/phone`} type="tel" name={i18n._('Number of choice {n}', { n })} hint="+49…" value={c.phone} max={32} put={(phone) => put({ ...c, phone: phone.replace(/[\s()-]/g, '') })} />}
      {kind === 'location' && (
        <div className="stack all">
          <PlaceForm at={c.location ?? ({} as NonNullable<Choice['location']>)} put={(location) => put({ ...c, location })} />
        </div>
      )}
      {kind === 'calendar' && <EventForm at={`${at}/event`} event={c.event ?? ({} as Event)} put={(event) => put({ ...c, event })} />}
      {described && <Text at={`${at}/description`} name={i18n._('Description of choice {n}', { n })} hint={i18n._('Description')} value={c.description} max={rule?.max_description || 4096} put={(description) => put({ ...c, description })} />}
      <Less what={what} onClick={drop} />
    </fieldset>
  );
}

type Event = NonNullable<Choice['event']>;

function EventForm({ at, event, put }: { at: string; event: Event; put: (e: Event) => void }) {
  const time = (name: string, key: 'start' | 'end') => (
    <Text
      at={`${at}/${key}`}
      type="datetime-local"
      name={name}
      value={event[key] ? local(new Date(event[key])) : ''}
      put={(v) => put({ ...event, [key]: Number.isNaN(Date.parse(v)) ? undefined : new Date(v).toISOString() })}
    />
  );
  return (
    <div className="stack all">
      <Text at={`${at}/title`} name={i18n._('Title of the entry')} value={event.title} put={(title) => put({ ...event, title })} />
      <div className="two">
        {time(i18n._('Start'), 'start')}
        {time(i18n._('End'), 'end')}
      </div>
      <Text at={`${at}/description`} name={i18n._('Description of the entry')} lines={2} max={4096} value={event.description} put={(description) => put({ ...event, description })} />
    </div>
  );
}
