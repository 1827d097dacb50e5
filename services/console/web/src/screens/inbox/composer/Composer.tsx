import { type ClipboardEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { api, type Conversation, type MessageInput } from '../../../api/client';
import { blank, changeDraft, useDraft } from '../../../live/drafts';
import { outbox } from '../../../live/outbox';
import { i18n } from '../../../locales/i18n';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { oneLine } from '../../../parts/plain';
import { sentence } from '../../../parts/words';
import { useKeys } from '../keys';
import type { Actions } from '../talk/actions';
import { Files } from './Files';
import { WindowLeft } from './WindowLeft';
import { attach } from './upload';
import { useCheck } from './useCheck';

/** Composer writes replies and notes. A note is yellow from edge to edge, so that the two are never confused. */
export function Composer({ conversation: c, actions }: { conversation: Conversation; actions: Actions }) {
  const draft = useDraft(c.id);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const note = draft.mode === 'note';
  const text = note ? draft.note : draft.reply;
  const files = note ? [] : draft.files;
  const closed = c.status === 'closed';

  const input: MessageInput = note
    ? { direction: 'note', text }
    : {
        ...(text.trim() && { text }),
        ...(files.some((f) => f.id) && { attachment_ids: files.flatMap((f) => f.id ?? []) }),
        ...(draft.replyTo && { reply_to: draft.replyTo.id }),
      };
  const nothing = !text.trim() && files.length === 0;
  const uploading = files.some((f) => !f.id && !f.error);
  const spoiled = files.some((f) => f.error);
  const { check, stale } = useCheck(c.id, note || closed || (nothing && c.window.state !== 'expired') ? undefined : input, c.version);
  const errors = note || nothing ? [] : (check?.errors ?? []);
  const locked = !note && !closed && !mayWrite(c);
  const ready = !nothing && !uploading && !spoiled && (note || (!locked && !closed && (stale || errors.length === 0)));

  useTypingSignal(c.id, !note && text !== '' && !closed);
  useKeys({ r: () => write('reply'), n: () => write('note') });
  const write = (mode: 'reply' | 'note') => {
    changeDraft(c.id, { mode });
    requestAnimationFrame(() => field.current?.focus());
  };

  const send = () => {
    if (!ready) return;
    outbox.add({ conversation: c.id, input, files: files.flatMap((f) => (f.id ? [{ id: f.id, name: f.name, type: f.type }] : [])) });
    changeDraft(c.id, note ? { note: '' } : { ...blank, note: draft.note });
    field.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    // Never while an input method composes: Enter chooses there.
    if (e.nativeEvent.isComposing) return;
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      send();
    }
    if (e.key === 'Escape') field.current?.blur();
  };
  const onPaste = (e: ClipboardEvent) => {
    if (note || e.clipboardData.files.length === 0) return;
    e.preventDefault();
    attach(c.id, e.clipboardData.files);
  };

  return (
    <div
      className={`cmp${note ? ' isnote' : ''}${locked || (closed && !note) ? ' closed' : ''}${over ? ' over' : ''}`}
      onDragOver={(e) => {
        if (note || !e.dataTransfer.types.includes('Files')) return;
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        if (note) return;
        e.preventDefault();
        setOver(false);
        attach(c.id, e.dataTransfer.files);
      }}
    >
      <div className="top">
        <div className="seg" role="group" aria-label={i18n._('Reply or note')}>
          <button type="button" aria-pressed={!note} onClick={() => write('reply')}>
            {i18n._('Reply')}
          </button>
          <button type="button" aria-pressed={note} onClick={() => write('note')}>
            <Icon name="lock" small /> {i18n._('Note')}
          </button>
        </div>
        {!note && (
          <span className="row gap-1 b cn">
            <ChannelGlyph type={c.channel.type} />
            <bdi className="cut">{c.channel.name}</bdi>
          </span>
        )}
        {!note && !closed && <WindowLeft window={check?.window ?? c.window} />}
      </div>
      {!note && draft.replyTo && (
        <div className="rep">
          <span className="cut sp">
            <b>
              <bdi>{draft.replyTo.name}</bdi>:
            </b>{' '}
            <bdi>{oneLine(draft.replyTo.excerpt, 120)}</bdi>
          </span>
          <button type="button" className="ib s" aria-label={i18n._('Do not quote it')} title={i18n._('Do not quote it')} onClick={() => changeDraft(c.id, { replyTo: undefined })}>
            <Icon name="x" small />
          </button>
        </div>
      )}
      {!note && closed ? (
        <Closed c={c} actions={actions} />
      ) : locked ? (
        <Locked c={c} alternatives={check?.alternatives ?? c.window.allowed} toNote={() => write('note')} />
      ) : (
        <textarea
          ref={field}
          value={text}
          dir="auto"
          maxLength={65536}
          aria-label={note ? i18n._('Note to the team') : i18n._('Reply to {name}', { name: c.contact.name })}
          placeholder={note ? i18n._('Only your team sees this') : i18n._('Write to {name}', { name: oneLine(c.contact.name, 60) })}
          onChange={(e) => changeDraft(c.id, note ? { note: e.target.value } : { reply: e.target.value })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          aria-describedby={errors.length > 0 ? 'wrong' : undefined}
        />
      )}
      {text !== '' && (locked || (closed && !note)) && (
        <p className="hint t2">
          <Icon name="info" small />
          <span className="sp cut">
            {i18n._('Kept:')} <bdi>{oneLine(text, 120)}</bdi>
          </span>
          <button type="button" className="btn link t2" onClick={() => changeDraft(c.id, (d) => ({ mode: 'note', note: [d.reply, d.note].filter(Boolean).join('\n'), reply: '' }))}>
            {i18n._('Make it a note')}
          </button>
        </p>
      )}
      {errors.length > 0 && !locked && !closed && (
        <ul className="hints" id="wrong" role="status">
          {errors.map((e, n) => (
            <li key={n} className="hint t2">
              <Icon name="alert" small />
              <span className="sp">{sentence(e.detail)}</span>
            </li>
          ))}
        </ul>
      )}
      <Files conversation={c.id} files={files} />
      <div className="tools">
        {!note && !locked && !closed && (
          <>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              onChange={(e) => {
                attach(c.id, e.target.files ?? []);
                e.target.value = '';
              }}
            />
            <button type="button" className="ib" aria-label={i18n._('Attach files')} title={i18n._('Attach files')} onClick={() => picker.current?.click()}>
              <Icon name="clip" />
            </button>
          </>
        )}
        <span className="sp" />
        {!note && !locked && !closed && check && text && <Length check={check} text={text} stale={stale} />}
        {(note || (!locked && !closed)) && (
          <button type="button" className={`btn ${note ? 'nb' : 'pri'}`} aria-disabled={!ready} title={i18n._('Ctrl + Enter')} onClick={send}>
            {note ? i18n._('Save note') : i18n._('Send')}
          </button>
        )}
      </div>
    </div>
  );
}

/** mayWrite says whether a free text may be sent now. */
function mayWrite(c: Conversation): boolean {
  return c.window.state !== 'expired' || c.window.allowed.includes('any') || c.window.allowed.includes('text');
}

function Closed({ c, actions }: { c: Conversation; actions: Actions }) {
  const follows = c.open_conversation_id;
  return (
    <div className="gate">
      <p>
        <b>{i18n._('This conversation is closed.')}</b> {follows ? i18n._('Another one with this person is open.') : i18n._('Reopen it to answer.')}
      </p>
      <div className="alts">
        {!follows && (
          <button type="button" className="btn" onClick={() => void actions.reopen(i18n._('Reopen'))}>
            {i18n._('Reopen')}
          </button>
        )}
      </div>
    </div>
  );
}

/** Locked stands where a text cannot go out: the reason, and what can be done instead. */
function Locked({ c, alternatives, toNote }: { c: Conversation; alternatives: string[]; toNote: () => void }) {
  const others = alternatives.map((a) => (a === 'template' ? i18n._('a template') : a.startsWith('message_tag') ? i18n._('a message with the tag {tag}', { tag: a.split(':')[1] ?? '' }) : a));
  return (
    <div className="gate">
      <p>
        <b>{i18n._('The window of this channel is closed.')}</b>{' '}
        {c.window.reason ? sentence(c.window.reason) : i18n._('It opens again when {name} writes.', { name: c.contact.name })}
        {others.length > 0 && ` ${i18n._('The channel takes {what} now.', { what: others.join(', ') })}`}
      </p>
      <div className="alts">
        <button type="button" className="btn" onClick={toNote}>
          {i18n._('Write a note')}
        </button>
      </div>
    </div>
  );
}

function Length({ check, text, stale }: { check: NonNullable<ReturnType<typeof useCheck>['check']>; text: string; stale: boolean }) {
  const of = check.length;
  if (check.segments != null) {
    return (
      <span className="cnt t2 faint" aria-live="off">
        <b>{i18n._('{n, plural, one {# segment} other {# segments}}', { n: check.segments })}</b> · {check.encoding === 'ucs2' ? i18n._('Unicode') : i18n._('GSM alphabet')}
      </span>
    );
  }
  const value = stale ? [...text].length : (of?.value ?? [...text].length);
  const many = check.parts > 1 ? ` · ${i18n._('{n, plural, one {# message} other {# messages}}', { n: check.parts })}` : '';
  return (
    <span className={`cnt t2 ${of && value > of.max ? 'er' : 'faint'}`}>
      {new Intl.NumberFormat(i18n.locale).format(value)}
      {of && ` / ${new Intl.NumberFormat(i18n.locale).format(of.max)}`}
      {many}
    </span>
  );
}

// The signal is said again while somebody goes on, and ends by itself at the others.
const typingEvery = 5_000;

/** useTypingSignal tells the others, and the customer where the channel carries it, that somebody is writing. */
function useTypingSignal(id: string, writing: boolean): void {
  const { reply } = useDraft(id);
  const said = useRef(0);
  useEffect(() => {
    const say = (typing: boolean) => void api.POST('/v1/conversations/{id}/typing', { params: { path: { id } }, body: { typing } }).catch(() => undefined);
    if (!writing) {
      if (said.current > 0) say(false);
      said.current = 0;
      return;
    }
    if (Date.now() - said.current < typingEvery) return;
    said.current = Date.now();
    say(true);
  }, [id, writing, reply]);
}
