import type { ReactNode } from 'react';
import type { MessageCheck } from '../../../api/client';
import { changeDraft, type Part, useDraft } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { Icon } from '../../../parts/Icon';
import { sentence } from '../../../parts/words';
import type { InteractiveRule, SendRules } from '../rules';
import { buttonKinds, type Choice, choice, filled, type Filling, fillingOf, has, headerKinds, type Interactive, interactiveName, lacking, partName } from './parts';

/**
 * PartDialog fills in what a message has besides text and files. Everything is a part of the draft at once: closing it loses nothing, and
 * the composer sends it.
 */
export default function PartDialog({ conversation, rules, errors, onClose }: { conversation: string; rules: SendRules | undefined; errors: MessageCheck['errors']; onClose: () => void }) {
  const { part, reply } = useDraft(conversation);
  if (!part) return null;
  const put = (now: Part) => changeDraft(conversation, { part: now });
  const short = lacking(part);
  return (
    <Dialog
      open
      title={part.interactive ? interactiveName(part.interactive.kind ?? '') : partName(part).split(':')[0] ?? ''}
      onClose={onClose}
      footer={
        <>
          <button
            type="button"
            className="btn ghost"
            onClick={() => {
              changeDraft(conversation, { part: undefined });
              onClose();
            }}
          >
            {i18n._('Remove')}
          </button>
          <button type="submit" form="part" className="btn pri">
            {i18n._('Done')}
          </button>
        </>
      }
    >
      <form
        id="part"
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          onClose();
        }}
      >
        {part.location && <PlaceForm at={part.location} put={(location) => put({ location })} />}
        {part.contacts && <CardForm card={part.contacts[0] ?? {}} put={(card) => put({ contacts: [card] })} />}
        {part.sticker && <StickerForm sticker={part.sticker} put={(sticker) => put({ sticker })} />}
        {part.template && <TemplateForm template={part.template} rules={rules} put={(template) => put({ template })} />}
        {part.interactive && (
          <InteractiveForm
            v={part.interactive}
            rule={rules?.interactive?.[part.interactive.kind ?? '']}
            put={(interactive) => put({ interactive })}
            text={
              <Text name={i18n._('Text')} value={reply} lines={3} max={65536} put={(text) => changeDraft(conversation, { reply: text })} />
            }
          />
        )}
        {short ? (
          <p className="help">{short}</p>
        ) : (
          errors.map((e, n) => (
            <p key={n} className="help err">
              {sentence(e.detail)}
            </p>
          ))
        )}
      </form>
    </Dialog>
  );
}

function Text({ name, value, put, max = 1024, lines, type = 'text', help }: { name: string; value: string | null | undefined; put: (v: string) => void; max?: number; lines?: number; type?: 'text' | 'url'; help?: string }) {
  const common = { className: 'in', dir: 'auto', value: value ?? '', maxLength: max } as const;
  return (
    <label className="field">
      <span className="lb">{name}</span>
      {lines ? <textarea {...common} rows={lines} onChange={(e) => put(e.target.value)} /> : <input {...common} type={type} onChange={(e) => put(e.target.value)} />}
      {help && <span className="help">{help}</span>}
    </label>
  );
}

type Place = NonNullable<Part['location']>;

function PlaceForm({ at, put }: { at: Place; put: (l: Place) => void }) {
  const degrees = (name: string, key: 'latitude' | 'longitude', most: number) => (
    <label className="field">
      <span className="lb">{name}</span>
      <input
        className="in"
        type="number"
        step="any"
        min={-most}
        max={most}
        value={at[key] ?? ''}
        onChange={(e) => put({ ...at, [key]: Number.isNaN(e.target.valueAsNumber) ? undefined : e.target.valueAsNumber })}
        onPaste={(e) => {
          // Maps give both at once.
          const both = /^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(e.clipboardData.getData('text'));
          if (!both) return;
          e.preventDefault();
          put({ ...at, latitude: Number(both[1]), longitude: Number(both[2]) });
        }}
      />
    </label>
  );
  return (
    <>
      <div className="two">
        {degrees(i18n._('Latitude'), 'latitude', 90)}
        {degrees(i18n._('Longitude'), 'longitude', 180)}
      </div>
      <p className="help">{i18n._('A pair that was copied from a map can be pasted into one of them.')}</p>
      <Text name={i18n._('Name')} value={at.name} put={(name) => put({ ...at, name })} />
      <Text name={i18n._('Address')} value={at.address} put={(address) => put({ ...at, address })} />
    </>
  );
}

type Card = NonNullable<Part['contacts']>[number];
const list = (v: string) => v.split('\n').slice(0, 20);

function CardForm({ card, put }: { card: Card; put: (c: Card) => void }) {
  return (
    <>
      <Text name={i18n._('Name')} value={card.name} put={(name) => put({ ...card, name })} />
      <Text name={i18n._('Phone numbers')} value={card.phones?.join('\n')} lines={2} help={i18n._('One a line.')} put={(v) => put({ ...card, phones: v ? list(v) : undefined })} />
      <Text name={i18n._('Email addresses')} value={card.emails?.join('\n')} lines={2} help={i18n._('One a line.')} put={(v) => put({ ...card, emails: v ? list(v) : undefined })} />
      <Text name={i18n._('Organization')} value={card.org} put={(org) => put({ ...card, org })} />
    </>
  );
}

type Sticker = NonNullable<Part['sticker']>;

function StickerForm({ sticker, put }: { sticker: Sticker; put: (s: Sticker) => void }) {
  return (
    <div className="two">
      <Text name={i18n._('Package id')} value={sticker.package_id} max={64} put={(package_id) => put({ ...sticker, package_id })} />
      <Text name={i18n._('Sticker id')} value={sticker.sticker_id} max={64} put={(sticker_id) => put({ ...sticker, sticker_id })} />
    </div>
  );
}

type Template = NonNullable<Part['template']>;

function TemplateForm({ template: t, rules, put }: { template: Template; rules: SendRules | undefined; put: (t: Template) => void }) {
  const f = fillingOf(t);
  const fill = (change: Partial<Filling>) => put({ ...t, components: filled({ ...f, ...change }) });
  const headers = headerKinds(rules);
  const kinds = buttonKinds(rules);
  return (
    <>
      <div className="two">
        <Text name={i18n._('Name of the template')} value={t.name} max={512} put={(name) => put({ ...t, name })} />
        <Text name={i18n._('Language')} value={t.language} max={32} help={i18n._('As it was approved: en, pt_BR.')} put={(language) => put({ ...t, language })} />
      </div>
      {headers.length > 0 && (
        <div className="two">
          <label className="field">
            <span className="lb">{i18n._('Header')}</span>
            <select className="in" value={f.header.kind} onChange={(e) => fill({ header: { ...f.header, kind: e.target.value } })}>
              {headers.map((k) => (
                <option key={k} value={k}>
                  {headerName(k)}
                </option>
              ))}
            </select>
          </label>
          <Text name={f.header.kind === 'text' ? i18n._('Value of the header') : i18n._('Address of the file')} value={f.header.value} max={2048} put={(value) => fill({ header: { ...f.header, value } })} />
        </div>
      )}
      <Text
        name={i18n._('Values of the text')}
        value={f.body.join('\n')}
        lines={3}
        max={65536}
        help={i18n._('One a line, in the order of the template.')}
        put={(v) => fill({ body: v === '' ? [] : v.split('\n').slice(0, 100) })}
      />
      {f.buttons.map((b, n) => {
        const set = (change: Partial<(typeof f.buttons)[number]>) => fill({ buttons: f.buttons.map((x, k) => (k === n ? { ...x, ...change } : x)) });
        return (
          <fieldset key={n} className="pick">
            <legend className="sr">{i18n._('Button {n}', { n: Number(b.index) + 1 })}</legend>
            <select className="in" aria-label={i18n._('Kind')} value={b.sub_type} onChange={(e) => set({ sub_type: e.target.value })}>
              {kinds.map((k) => (
                <option key={k} value={k}>
                  {buttonName(k)}
                </option>
              ))}
            </select>
            <select className="in" aria-label={i18n._('Which button')} value={b.index} onChange={(e) => set({ index: e.target.value })}>
              {Array.from({ length: 10 }, (_, k) => (
                <option key={k} value={String(k)}>
                  {i18n._('Button {n}', { n: k + 1 })}
                </option>
              ))}
            </select>
            <input className="in" dir="auto" aria-label={i18n._('Value')} placeholder={i18n._('Value')} value={b.value} maxLength={2048} onChange={(e) => set({ value: e.target.value })} />
            <Less what={i18n._('Button {n}', { n: Number(b.index) + 1 })} onClick={() => fill({ buttons: f.buttons.filter((_, k) => k !== n) })} />
          </fieldset>
        );
      })}
      {kinds.length > 0 && f.buttons.length < 10 && (
        <More onClick={() => fill({ buttons: [...f.buttons, { sub_type: kinds[0] ?? '', index: String(f.buttons.length), value: '' }] })}>{i18n._('Value of a button')}</More>
      )}
    </>
  );
}

function headerName(kind: string): string {
  return ({ text: i18n._('Text'), image: i18n._('Picture'), video: i18n._('Video'), document: i18n._('File') } as Record<string, string>)[kind] ?? kind;
}

function buttonName(kind: string): string {
  return ({ quick_reply: i18n._('Quick reply'), url: i18n._('Link'), copy_code: i18n._('Code to copy') } as Record<string, string>)[kind] ?? kind;
}

function InteractiveForm({ v, rule, text, put }: { v: Interactive; rule: InteractiveRule | undefined; text: ReactNode; put: (v: Interactive) => void }) {
  const all = v.sections?.flatMap((s) => s.rows ?? []) ?? [];
  const full = rule?.max_items !== undefined && (v.buttons?.length ?? all.length) >= rule.max_items;
  const section = (n: number, change: Partial<NonNullable<Interactive['sections']>[number]>) => put({ ...v, sections: v.sections?.map((s, k) => (k === n ? { ...s, ...change } : s)) });
  return (
    <>
      {has(rule, 'header') && <Text name={i18n._('Header')} value={v.header} put={(header) => put({ ...v, header })} />}
      {has(rule, 'body') && text}
      {has(rule, 'footer') && <Text name={i18n._('Footer')} value={v.footer} put={(footer) => put({ ...v, footer })} />}
      {has(rule, 'button') && <Text name={i18n._('Words on the button')} value={v.button} put={(button) => put({ ...v, button })} />}
      {has(rule, 'url') && <Text name={i18n._('Address that it opens')} type="url" max={2048} value={v.url} put={(url) => put({ ...v, url })} />}
      {has(rule, 'flow') && <Text name={i18n._('Id of the flow')} max={512} value={v.flow?.id} put={(id) => put({ ...v, flow: { ...v.flow, id } })} />}
      {v.buttons && (
        <>
          {v.buttons.map((b, n) => (
            <ChoiceForm
              key={n}
              n={n + 1}
              c={b}
              rule={rule}
              put={(to) => put({ ...v, buttons: v.buttons?.map((x, k) => (k === n ? to : x)) })}
              drop={() => put({ ...v, buttons: v.buttons?.filter((_, k) => k !== n) })}
            />
          ))}
          {!full && <More onClick={() => put({ ...v, buttons: [...(v.buttons ?? []), choice(v.buttons ?? [], rule)] })}>{i18n._('Another choice')}</More>}
        </>
      )}
      {v.sections?.map((s, n) => (
        <fieldset key={n} className="stack sect">
          <legend className="sr">{i18n._('Section {n}', { n: n + 1 })}</legend>
          {has(rule, 'section_title') && <Text name={i18n._('Title of the section')} value={s.title} put={(title) => section(n, { title })} />}
          {s.rows?.map((row, k) => (
            <ChoiceForm
              key={k}
              n={k + 1}
              c={row}
              rule={rule}
              described={has(rule, 'description')}
              put={(to) => section(n, { rows: s.rows?.map((x, i) => (i === k ? to : x)) })}
              drop={() => section(n, { rows: s.rows?.filter((_, i) => i !== k) })}
            />
          ))}
          <div className="row">
            {!full && <More onClick={() => section(n, { rows: [...(s.rows ?? []), choice(all, rule)] })}>{i18n._('Another choice')}</More>}
            {(v.sections?.length ?? 0) > 1 && (
              <button type="button" className="btn link t2" onClick={() => put({ ...v, sections: v.sections?.filter((_, k) => k !== n) })}>
                {i18n._('Remove the section')}
              </button>
            )}
          </div>
        </fieldset>
      ))}
      {v.sections && !full && v.sections.length < (rule?.max_sections ?? 1) && (
        <More onClick={() => put({ ...v, sections: [...(v.sections ?? []), { rows: [choice(all, rule)] }] })}>{i18n._('Another section')}</More>
      )}
    </>
  );
}

function ChoiceForm({ n, c, rule, described, put, drop }: { n: number; c: Choice; rule: InteractiveRule | undefined; described?: boolean; put: (c: Choice) => void; drop: () => void }) {
  const kinds = rule?.choices ?? [];
  const opens = c.kind === 'url' || c.kind === 'web_app';
  const what = i18n._('Choice {n}', { n });
  return (
    <fieldset className="pick">
      <legend className="sr">{what}</legend>
      <input className="in" dir="auto" aria-label={i18n._('Title of choice {n}', { n })} placeholder={i18n._('Title')} value={c.title ?? ''} maxLength={rule?.max_title || 1024} onChange={(e) => put({ ...c, title: e.target.value })} />
      {kinds.length > 1 && (
        <select className="in" aria-label={i18n._('What choice {n} does', { n })} value={c.kind ?? kinds[0]} onChange={(e) => put({ ...c, kind: e.target.value, ...(e.target.value !== 'reply' ? { id: undefined } : { id: c.id ?? `c${n}` }) })}>
          {kinds.map((k) => (
            <option key={k} value={k}>
              {choiceName(k)}
            </option>
          ))}
        </select>
      )}
      {opens && <input className="in" type="url" aria-label={i18n._('Address of choice {n}', { n })} placeholder="https://" value={c.url ?? ''} maxLength={2048} onChange={(e) => put({ ...c, url: e.target.value })} />}
      {described && <input className="in" dir="auto" aria-label={i18n._('Description of choice {n}', { n })} placeholder={i18n._('Description')} value={c.description ?? ''} maxLength={4096} onChange={(e) => put({ ...c, description: e.target.value })} />}
      <Less what={what} onClick={drop} />
    </fieldset>
  );
}

function choiceName(kind: string): string {
  switch (kind) {
    case 'reply':
      return i18n._('answers');
    case 'url':
      return i18n._('opens a page');
    case 'web_app':
      return i18n._('opens an app');
    case 'text':
      return i18n._('writes its title');
    case 'contact_request':
      return i18n._('gives the phone number');
    case 'location_request':
      return i18n._('gives the place');
    default:
      return kind.replaceAll('_', ' ');
  }
}

function More({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className="btn link t2 self-start" onClick={onClick}>
      <Icon name="plus" small /> {children}
    </button>
  );
}

function Less({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" className="ib s" aria-label={i18n._('Remove {name}', { name: what })} title={i18n._('Remove')} onClick={onClick}>
      <Icon name="x" small />
    </button>
  );
}
