import type { MessageCheck } from '../../../api/client';
import { changeDraft, type Part, useDraft } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import type { SendRules } from '../rules';
import { Less, More, Others, PlaceForm, Text, Wrong } from './fields';
import { InteractiveForm } from './InteractiveForm';
import { buttonKinds, filled, type Filling, fillingOf, headerKinds, interactiveName, lacking, partName } from './parts';

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
      <Wrong errors={short ? [] : errors}>
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
                <Text at={['/text', '/interactive/body']} name={i18n._('Text')} value={reply} lines={3} max={65536} put={(text) => changeDraft(conversation, { reply: text })} />
              }
            />
          )}
          {short ? (
            <p className="help">{short}</p>
          ) : (
            <Others />
          )}
        </form>
      </Wrong>
    </Dialog>
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
