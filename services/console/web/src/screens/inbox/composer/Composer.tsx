import { useQueryClient } from '@tanstack/react-query';
import { type ClipboardEvent, type KeyboardEvent, lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { api, type Conversation, type MessageInput } from '../../../api/client';
import { blank, changeDraft, useDraft } from '../../../live/drafts';
import { outbox } from '../../../live/outbox';
import { i18n } from '../../../locales/i18n';
import { ChannelGlyph, Icon } from '../../../parts/Icon';
import { IconMenu, MenuItem } from '../../../parts/Menu';
import { oneLine } from '../../../parts/plain';
import { sentence } from '../../../parts/words';
import { useKeys } from '../keys';
import { useRules } from '../rules';
import type { Actions } from '../talk/actions';
import { Files } from './Files';
import { WindowLeft } from './WindowLeft';
import { inputOf } from './input';
import { type Kind, kindsOf, lacking, partName } from './parts';
import { attach } from './upload';
import { useCheck } from './useCheck';
import { useDrop } from './useDrop';

const PartDialog = lazy(() => import('./PartDialog'));
const EmojiPicker = lazy(() => import('./EmojiPicker'));

/** Composer writes replies and notes. A note is yellow from edge to edge, so that the two are never confused. */
export function Composer({ conversation: c, actions }: { conversation: Conversation; actions: Actions }) {
  const draft = useDraft(c.id);
  const rules = useRules(c);
  const kinds = useMemo(() => kindsOf(rules), [rules]);
  const templates = kinds.find((k) => k.key === 'template');
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [editing, setEditing] = useState(false);
  const [emoji, setEmoji] = useState(false);
  const note = draft.mode === 'note';
  const text = note ? draft.note : draft.reply;
  const closed = c.status === 'closed';
  const comment = c.kind === 'comments';
  const part = note ? undefined : draft.part;
  const template = !!part?.template;
  // A template is a whole message: what is typed and attached stays for the next one.
  const files = note || template ? [] : draft.files;
  const gone = !note && closed;
  const locked = !note && !closed && !mayWrite(c) && !template && !draft.tag;
  const writes = !gone && !locked && !template;

  const input: MessageInput = note ? { direction: 'note', text } : inputOf(draft);
  const nothing = !note && part ? false : !text.trim() && files.length === 0;
  const short = lacking(part);
  const uploading = files.some((f) => !f.id && !f.error);
  const spoiled = files.some((f) => f.error);
  const asked = note || closed || short !== undefined || (nothing && c.window.state !== 'expired') ? undefined : input;
  const { check, stale } = useCheck(c.id, asked, c.version);
  const errors = note || nothing || short !== undefined ? [] : (check?.errors ?? []);
  const ready = !nothing && !uploading && !spoiled && !gone && !locked && short === undefined && (note || stale || errors.length === 0);
  const refusedFiles = !draft.asLink && errors.some((e) => e.pointer?.startsWith('/attachment_ids'));

  useWindowEnd(c);
  useTypingSignal(c.id, !note && text !== '' && !closed);
  useKeys({ r: () => write('reply'), n: () => write('note') });
  const over = useDrop(box, writes && !note, (dropped) => attach(c.id, dropped));
  const write = (mode: 'reply' | 'note') => {
    changeDraft(c.id, { mode });
    requestAnimationFrame(() => field.current?.focus());
  };
  const begin = (kind: Kind) => {
    changeDraft(c.id, { mode: 'reply', part: kind.begin() });
    setEditing(true);
  };

  const send = () => {
    if (!ready) return;
    outbox.add({ conversation: c.id, input, files: files.flatMap((f) => (f.id ? [{ id: f.id, name: f.name, type: f.type, size: f.size }] : [])) });
    changeDraft(c.id, note ? { note: '' } : template ? { part: undefined, replyTo: undefined } : { ...blank, note: draft.note });
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
  const closeEmoji = () => {
    setEmoji(false);
    requestAnimationFrame(() => field.current?.focus());
  };
  const insert = (sign: string) => {
    const el = field.current;
    const [from, to] = [el?.selectionStart ?? text.length, el?.selectionEnd ?? text.length];
    const now = text.slice(0, from) + sign + text.slice(to);
    changeDraft(c.id, note ? { note: now } : { reply: now });
    setEmoji(false);
    requestAnimationFrame(() => {
      el?.focus();
      el?.setSelectionRange(from + sign.length, from + sign.length);
    });
  };

  return (
    <div ref={box} className={`cmp${note ? ' isnote' : ''}${locked || gone ? ' closed' : ''}${over ? ' over' : ''}`}>
      <div className="top">
        <div className="seg" role="group" aria-label={i18n._('Reply or note')}>
          <button type="button" aria-pressed={!note} onClick={() => write('reply')}>
            {comment ? (
              <>
                <Icon name="globe" small /> {i18n._('Public comment')}
              </>
            ) : (
              i18n._('Reply')
            )}
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
        {!note && comment && <span className="end t2 faint">{i18n._('Everybody reads this under the post')}</span>}
        {!note && !closed && !comment && <WindowLeft window={check?.window ?? c.window} />}
      </div>
      {!note && draft.replyTo && (
        <Added drop={i18n._('Do not quote it')} onDrop={() => changeDraft(c.id, { replyTo: undefined })}>
          <b>
            <bdi>{draft.replyTo.name}</bdi>:
          </b>{' '}
          <bdi>{oneLine(draft.replyTo.excerpt, 120)}</bdi>
        </Added>
      )}
      {!note && !gone && draft.tag && (
        <Added drop={i18n._('Write without the tag')} onDrop={() => changeDraft(c.id, { tag: undefined })}>
          {i18n._('Goes out under the tag')} <bdi className="mono">{draft.tag}</bdi>
        </Added>
      )}
      {part && !gone && (
        <Added drop={i18n._('Remove it')} onDrop={() => changeDraft(c.id, { part: undefined })}>
          <button type="button" className="btn link t2" onClick={() => setEditing(true)}>
            <bdi className="cut">{oneLine(partName(part), 120)}</bdi>
          </button>
          {short !== undefined && <span className="wn"> {short}</span>}
        </Added>
      )}
      {gone ? (
        <Closed c={c} actions={actions} />
      ) : locked ? (
        <Locked
          c={c}
          alternatives={check?.alternatives.length ? check.alternatives : c.window.allowed}
          toNote={() => write('note')}
          toTemplate={templates && (() => begin(templates))}
          toTag={(tag) => {
            changeDraft(c.id, { tag });
            write('reply');
          }}
        />
      ) : (
        !template && (
          <textarea
            ref={field}
            value={text}
            dir="auto"
            maxLength={65536}
            aria-label={note ? i18n._('Note to the team') : i18n._('Reply to {name}', { name: c.contact.name })}
            placeholder={note ? i18n._('Only your team sees this') : comment ? i18n._('Answer {name} in public', { name: oneLine(c.contact.name, 60) }) : i18n._('Write to {name}', { name: oneLine(c.contact.name, 60) })}
            onChange={(e) => changeDraft(c.id, note ? { note: e.target.value } : { reply: e.target.value })}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
            aria-describedby={errors.length > 0 ? 'wrong' : undefined}
          />
        )
      )}
      {text !== '' && (locked || gone || template) && (
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
      {errors.length > 0 && !locked && !gone && (
        <ul className="hints" id="wrong" role="status">
          {errors.map((e, n) => (
            <li key={n} className="hint t2">
              <Icon name="alert" small />
              <span className="sp">{sentence(e.detail)}</span>
            </li>
          ))}
        </ul>
      )}
      {refusedFiles && writes && (
        <p className="hint t2">
          <Icon name="link" small />
          <span className="sp">{i18n._('As a link it goes: whoever has the link has the file, for a week at least.')}</span>
          <button type="button" className="btn link t2" onClick={() => changeDraft(c.id, { asLink: true })}>
            {i18n._('Send as a link')}
          </button>
        </p>
      )}
      {draft.asLink && files.length > 0 && (
        <p className="hint t2">
          <Icon name="link" small />
          <span className="sp">{i18n._('Files that {channel} does not take go as links.', { channel: c.channel.name })}</span>
          <button type="button" className="btn link t2" onClick={() => changeDraft(c.id, { asLink: undefined })}>
            {i18n._('Only as files')}
          </button>
        </p>
      )}
      {!gone && <Files conversation={c.id} files={files} />}
      <div className="tools">
        {!note && writes && (
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
        {writes && (
          <span className="relative">
            <button type="button" className="ib" aria-label={i18n._('Emoji')} title={i18n._('Emoji')} aria-haspopup="dialog" aria-expanded={emoji} onClick={() => setEmoji(!emoji)}>
              <Icon name="smile" />
            </button>
            <Suspense>{emoji && <EmojiPicker onPick={insert} onClose={closeEmoji} />}</Suspense>
          </span>
        )}
        {!note && writes && kinds.length > 0 && (
          <IconMenu icon="plus" label={i18n._('Other kinds of message')}>
            {kinds.map((kind) => (
              <MenuItem key={kind.key} icon={kind.icon} onSelect={() => begin(kind)}>
                {kind.name}
              </MenuItem>
            ))}
          </IconMenu>
        )}
        <span className="sp" />
        {!note && writes && check && text && <Length check={check} text={text} stale={stale} />}
        {(note || writes || template) && !gone && (
          <button type="button" className={`btn ${note ? 'nb' : 'pri'}`} aria-disabled={!ready} title={i18n._('Ctrl + Enter')} onClick={send}>
            {note ? i18n._('Save note') : comment ? i18n._('Comment') : i18n._('Send')}
          </button>
        )}
      </div>
      <Suspense>{editing && part && <PartDialog conversation={c.id} rules={rules} errors={errors} onClose={() => setEditing(false)} />}</Suspense>
    </div>
  );
}

/** Added is something that goes along with a message, and can be taken off it. */
function Added({ drop, onDrop, children }: { drop: string; onDrop: () => void; children: ReactNode }) {
  return (
    <div className="rep">
      <span className="cut sp">{children}</span>
      <button type="button" className="ib s" aria-label={drop} title={drop} onClick={onDrop}>
        <Icon name="x" small />
      </button>
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
function Locked({ c, alternatives, toNote, toTemplate, toTag }: { c: Conversation; alternatives: string[]; toNote: () => void; toTemplate?: () => void; toTag: (tag: string) => void }) {
  const tags = alternatives.flatMap((a) => (a.startsWith('message_tag:') ? a.slice('message_tag:'.length) : []));
  const templates = alternatives.includes('template');
  const others = alternatives.filter((a) => a !== 'template' && !a.startsWith('message_tag'));
  return (
    <div className="gate">
      <p>
        <b>{i18n._('The window of this channel is closed.')}</b>{' '}
        {c.window.reason ? sentence(c.window.reason) : i18n._('It opens again when {name} writes.', { name: c.contact.name })}
        {templates && ` ${i18n._('A template that the channel has approved may be sent now.')}`}
        {others.length > 0 && ` ${i18n._('The channel takes {what} now.', { what: others.join(', ') })}`}
      </p>
      <div className="alts">
        {templates && toTemplate && (
          <button type="button" className="btn" onClick={toTemplate}>
            <Icon name="doc" />
            {i18n._('Use a template')}
          </button>
        )}
        {tags.map((tag) => (
          <button key={tag} type="button" className="btn" onClick={() => toTag(tag)}>
            <Icon name="tag" />
            {i18n._('Write under the tag {tag}', { tag })}
          </button>
        ))}
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

// Timers of browsers take no longer times.
const longestTimer = 2 ** 31 - 1;

/** useWindowEnd reads a conversation again when its window has closed: nothing else happens then that would be told. */
function useWindowEnd({ id, window: w }: Conversation): void {
  const cache = useQueryClient();
  const end = w.state === 'expired' || !w.expires_at ? undefined : Date.parse(w.expires_at);
  useEffect(() => {
    if (end === undefined || end - Date.now() > longestTimer) return;
    const timer = setTimeout(() => void cache.invalidateQueries({ queryKey: ['conversation', id] }), Math.max(0, end - Date.now()) + 500);
    return () => clearTimeout(timer);
  }, [cache, id, end]);
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
