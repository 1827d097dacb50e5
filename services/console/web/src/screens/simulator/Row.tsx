import { i18n } from '../../locales/i18n';
import { Icon, type IconName } from '../../parts/Icon';
import { oneLine } from '../../parts/plain';
import { PlainText } from '../../parts/PlainText';
import { clock, full } from '../../parts/time';
import type { Bubble, Choice } from './talk';

const kinds: Record<string, { icon: IconName; name: () => string }> = {
  image: { icon: 'image', name: () => i18n._('Picture') },
  video: { icon: 'play', name: () => i18n._('Video') },
  audio: { icon: 'mic', name: () => i18n._('Audio') },
  document: { icon: 'doc', name: () => i18n._('File') },
  sticker: { icon: 'smile', name: () => i18n._('Sticker') },
  location: { icon: 'map', name: () => i18n._('Location') },
  contacts: { icon: 'user', name: () => i18n._('Contact card') },
  template: { icon: 'doc', name: () => i18n._('Template') },
  album: { icon: 'image', name: () => i18n._('Album') },
  unsupported: { icon: 'help', name: () => i18n._('Something that no channel knows') },
  referral: { icon: 'link', name: () => i18n._('Came by an ad') },
  share: { icon: 'link', name: () => i18n._('A shared post') },
  story: { icon: 'image', name: () => i18n._('A shared story') },
  story_mention: { icon: 'eye', name: () => i18n._('Names the account in a story') },
  story_reply: { icon: 'reply', name: () => i18n._('Answers a story') },
};

function happened(b: Bubble): string {
  const text = oneLine(b.text, 60);
  switch (b.kind) {
    case 'reaction':
      return text ? i18n._('Reacted with {emoji}', { emoji: text }) : i18n._('Took the reaction back');
    case 'edit':
      return i18n._('Changed a message to “{text}”', { text });
    case 'delete':
      return i18n._('Deleted a message');
    case 'block':
      return i18n._('Blocked the account');
    case 'unblock':
      return i18n._('Unblocked the account');
    case 'typing':
      return i18n._('Is typing');
    default:
      return i18n._('Has another number');
  }
}

/** Row is a message with what was done to it, or something that happened. */
export function Row({ bubble: b, quoted, marked, onMark, onPress }: { bubble: Bubble; quoted: Bubble | undefined; marked: boolean; onMark: (() => void) | undefined; onPress: (c: Choice) => void }) {
  const kind = kinds[b.kind];
  if (b.event) {
    return (
      <div className={`pm ev${b.mine ? ' me' : ''}`}>
        <bdi>{happened(b)}</bdi> <State bubble={b} />
      </div>
    );
  }
  if (b.deleted) {
    return (
      <div className={`pm gone${b.mine ? ' me' : ''}`}>
        <i>{b.mine ? i18n._('You deleted this message.') : i18n._('This message was deleted.')}</i>
      </div>
    );
  }
  const reacted = b.reactions.mine || b.reactions.theirs;
  return (
    <div className={`pm${b.mine ? ' me' : ''}${marked ? ' on' : ''}${reacted ? ' re' : ''}`}>
      {quoted && (
        <div className="pq cut t2 dim">
          <bdi>{oneLine(quoted.text, 80) || kinds[quoted.kind]?.name()}</bdi>
        </div>
      )}
      {kind && (
        <div className="row gap-1 dim">
          <Icon name={kind.icon} small />
          <bdi>{b.file ?? kind.name()}</bdi>
        </div>
      )}
      {b.text && <PlainText text={b.text} />}
      {b.choices.length > 0 && (
        <div className="tmplb">
          {b.choices.map((c, n) => (
            <button key={`${c.id} ${n}`} type="button" onClick={() => onPress(c)}>
              <bdi>{c.title || c.id}</bdi>
            </button>
          ))}
        </div>
      )}
      <div className="foot t1">
        {b.copies > 1 && <span className="chip warn">{i18n._('sent {n} times', { n: b.copies })}</span>}
        {b.edited && <i>{i18n._('edited')}</i>}
        <time dateTime={b.at} title={full(b.at)}>
          {clock(b.at)}
        </time>
        <State bubble={b} />
        {onMark && (
          <button type="button" className="mark" aria-pressed={marked} aria-label={i18n._('Pick this message')} title={i18n._('Pick it, to quote, react to, change or delete it')} onClick={onMark}>
            <Icon name={marked ? 'check' : 'more'} small />
          </button>
        )}
      </div>
      {reacted && (
        <div className="prx">
          {b.reactions.mine && <Reaction emoji={b.reactions.mine} words={i18n._('You reacted with {emoji}', { emoji: b.reactions.mine })} />}
          {b.reactions.theirs && <Reaction emoji={b.reactions.theirs} words={i18n._('The account reacted with {emoji}', { emoji: b.reactions.theirs })} />}
        </div>
      )}
    </div>
  );
}

function Reaction({ emoji, words }: { emoji: string; words: string }) {
  return (
    <span title={words}>
      <span aria-hidden="true">{oneLine(emoji, 8)}</span>
      <span className="sr">{words}</span>
    </span>
  );
}

/** State says of the customer's own whether the channel took it, of the account's which receipt was told last. */
function State({ bubble: b }: { bubble: Bubble }) {
  if (!b.mine) return b.receipt ? <span className={b.receipt === 'failed' ? 'er' : undefined}>{receipts[b.receipt]?.() ?? b.receipt}</span> : null;
  if (b.state === 'under way') return <Mark icon="clock" word={i18n._('on its way')} />;
  if (b.state === 'taken') return <Mark icon="check2" word={i18n._('taken by the channel')} />;
  return (
    <span className="er row gap-1">
      <Icon name="alert" small />
      {b.status ? i18n._('answered with {status}', { status: b.status }) : i18n._('not taken')}
    </span>
  );
}

const receipts: Record<string, () => string> = {
  sent: () => i18n._('sent'),
  delivered: () => i18n._('delivered'),
  read: () => i18n._('read'),
  played: () => i18n._('played'),
  failed: () => i18n._('failed'),
};

function Mark({ icon, word }: { icon: IconName; word: string }) {
  return (
    <span title={word}>
      <Icon name={icon} small />
      <span className="sr">{word}</span>
    </span>
  );
}
