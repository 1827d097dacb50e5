import { useRef, useState } from 'react';
import { i18n } from '../../locales/i18n';
import { Icon, type IconName } from '../../parts/Icon';
import { Menu, MenuItem, MenuLine } from '../../parts/Menu';
import { oneLine } from '../../parts/plain';
import { toast } from '../../parts/toast';
import { type Person, useWords } from './people';
import type { Bubble } from './talk';
import { type Account, idOf, type Kind } from './types';
import { useAct } from './useAct';

// What the simulator takes in one call, in base64, with room for the rest.
const largest = 64 << 20;
const emojis = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

/** Composer is how the customer writes: text, and every kind that a provider knows. What is chosen in the talk is quoted, changed or deleted. */
export function Composer({
  account,
  person,
  chosen,
  latest,
  onRelease,
}: {
  account: Account;
  person: Person;
  chosen: Bubble | undefined;
  latest: { mine: Bubble | undefined; theirs: Bubble | undefined };
  onRelease: () => void;
}) {
  const act = useAct(account, person);
  const [text, setText] = useWords(idOf(account), person.from);
  const [mode, setMode] = useState<'quote' | 'edit'>();
  const [about, setAbout] = useState<Bubble>();
  const field = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const wanted = useRef<Kind>('image');
  const own = chosen?.mine && !chosen.deleted ? chosen : latest.mine;
  const theirs = chosen && !chosen.mine && !chosen.deleted ? chosen : latest.theirs;

  const done = () => {
    setMode(undefined);
    setAbout(undefined);
    onRelease();
  };
  const begin = (how: 'quote' | 'edit', of: Bubble | undefined) => {
    if (!of) return;
    setMode(how);
    setAbout(of);
    if (how === 'edit') setText(of.text);
    field.current?.focus();
  };
  const send = () => {
    if (!text.trim()) return;
    const words = text;
    setText('');
    done();
    void act(mode === 'edit' ? { kind: 'edit', text: words, target: about?.id } : { kind: 'text', text: words, ...(mode === 'quote' && { reply_to: about?.id }) }).then((ok) => ok || setText((now) => now || words));
  };
  const withText = (kind: Kind, more?: object) => {
    const caption = text.trim();
    setText('');
    done();
    void act({ kind, ...(caption && { text: caption }), ...more });
  };
  const attach = async (f: File | undefined) => {
    if (!f) return;
    if (f.size > largest) {
      toast('alert', i18n._('This file is larger than the simulator takes.'));
      return;
    }
    withText(wanted.current, { media: { mime: f.type || 'application/octet-stream', name: f.name, data: await base64(f) } });
  };
  const choose = (kind: Kind) => {
    wanted.current = kind;
    if (files.current) {
      files.current.accept = { image: 'image/*', video: 'video/*', audio: 'audio/*' }[kind as string] ?? '';
      files.current.value = '';
      files.current.click();
    }
  };
  const media = (kind: Kind, icon: IconName, label: string) => (
    <Menu label={label} button={<Chip icon={icon} label={label} />}>
      <MenuItem icon="zap" onSelect={() => withText(kind, kind === 'audio' ? { voice: true } : {})}>
        {i18n._('Send a made-up one')}
      </MenuItem>
      <MenuItem icon="clip" onSelect={() => choose(kind)}>
        {i18n._('Choose one…')}
      </MenuItem>
    </Menu>
  );

  return (
    <form
      className="pcmp"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      <div className="chips" role="group" aria-label={i18n._('What else can be sent')}>
        {media('image', 'image', i18n._('Photo'))}
        {media('audio', 'mic', i18n._('Voice'))}
        <Chip icon="map" label={i18n._('Location')} onClick={() => withText('location', { location: { latitude: -6.2088, longitude: 106.8456, name: 'Monas', address: 'Jakarta' } })} />
        {media('document', 'doc', i18n._('File'))}
        <Menu label={i18n._('React')} button={<Chip icon="smile" label={i18n._('React')} disabled={!theirs} />}>
          <div className="row emo">
            {emojis.map((e) => (
              <MenuItem key={e} onSelect={() => void act({ kind: 'reaction', text: e, target: theirs?.id })}>
                {e}
              </MenuItem>
            ))}
          </div>
          <MenuLine />
          <MenuItem icon="x" onSelect={() => void act({ kind: 'reaction', removed: true, target: theirs?.id })}>
            {i18n._('Take it back')}
          </MenuItem>
        </Menu>
        <Chip icon="reply" label={i18n._('Quote')} disabled={!chosen && !theirs} onClick={() => begin('quote', chosen ?? theirs)} />
        <Chip icon="edit" label={i18n._('Edit')} disabled={!own} onClick={() => begin('edit', own)} />
        <Chip
          icon="trash"
          label={i18n._('Delete')}
          disabled={!own}
          onClick={() => {
            void act({ kind: 'delete', target: own?.id });
            done();
          }}
        />
        <Menu label={i18n._('Other kinds')} align="end" button={<Chip icon="more" label={i18n._('Other')} />}>
          {[...media2, ...(account.type === 'instagram' ? stories : [])].map(([kind, icon, name]) => (
            <MenuItem key={kind} icon={icon} onSelect={() => withText(kind)}>
              {name()}
            </MenuItem>
          ))}
        </Menu>
      </div>
      {mode && (
        <div className="row pmode t2">
          <Icon name={mode === 'edit' ? 'edit' : 'reply'} small />
          <span className="sp cut">
            {mode === 'edit' ? i18n._('Changes') : i18n._('Quotes')} <bdi className="dim">{oneLine(about?.text ?? '', 60)}</bdi>
          </span>
          <button type="button" className="ib s" aria-label={i18n._('Do not')} title={i18n._('Do not')} onClick={done}>
            <Icon name="x" small />
          </button>
        </div>
      )}
      <div className="row">
        <input
          ref={field}
          className="in"
          dir="auto"
          autoComplete="off"
          aria-label={i18n._('Write as the customer')}
          placeholder={i18n._('Write as {name}…', { name: person.name })}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <button type="submit" className="ib go" aria-label={i18n._('Send as the customer')} title={i18n._('Send as the customer')}>
          <Icon name="send" flip />
        </button>
      </div>
      <input ref={files} type="file" hidden tabIndex={-1} onChange={(e) => void attach(e.target.files?.[0])} />
    </form>
  );
}

const media2: [Kind, IconName, () => string][] = [
  ['video', 'play', () => i18n._('Video')],
  ['sticker', 'smile', () => i18n._('Sticker')],
  ['contacts', 'user', () => i18n._('Contact card')],
  ['referral', 'link', () => i18n._('Text that came by an ad')],
  ['typing', 'more', () => i18n._('Is typing')],
  ['unsupported', 'help', () => i18n._('Unknown type')],
];

/** stories are what people do on Instagram alone. */
const stories: [Kind, IconName, () => string][] = [
  ['share', 'link', () => i18n._('A shared post')],
  ['story', 'image', () => i18n._('A shared story')],
  ['story_mention', 'eye', () => i18n._('Names the account in a story')],
  ['story_reply', 'reply', () => i18n._('Answers a story')],
];

function Chip({ icon, label, ...rest }: { icon: IconName; label: string } & React.ComponentProps<'button'>) {
  return (
    <button type="button" className="chip" {...rest}>
      <Icon name={icon} small />
      {label}
    </button>
  );
}

function base64(f: File): Promise<string> {
  return new Promise((done, failed) => {
    const r = new FileReader();
    r.onload = () => done(String(r.result).split(',', 2)[1] ?? '');
    r.onerror = () => failed(r.error);
    r.readAsDataURL(f);
  });
}
