import { memo, useEffect, useRef, useState } from 'react';
import type { Conversation, Message } from '../../../api/client';
import { i18n } from '../../../locales/i18n';
import { Avatar } from '../../../parts/Avatar';
import { Icon } from '../../../parts/Icon';
import { PlainText } from '../../../parts/PlainText';
import { oneLine } from '../../../parts/plain';
import { clock, full } from '../../../parts/time';
import { kindOf } from '../kinds';
import type { SendRules } from '../rules';
import { Acts } from './Acts';
import { ActionStates } from './ActionStates';
import { Choices, Content } from './Content';
import { Meta } from './Meta';
import { Outcome } from './Outcome';
import { sentVia, statusIcon, statusName } from './status';

/** About is what a message needs to know of its conversation. */
export type About = Pick<Conversation, 'id' | 'kind' | 'status' | 'contact' | 'channel'>;

interface Props {
  message: Message;
  conversation: About;
  rules: SendRules | undefined;
  follows: boolean;
  /** the message that is answered, if it is loaded */
  quoted: Message | undefined;
  /** one message of the timeline is a stop of the Tab key; arrows lead to the others */
  tabStop: boolean;
  onFocus: (id: string) => void;
  onReply: (m: Message) => void;
  onReveal: (id: string) => void;
}

// A pointer that only passes by opens nothing.
const patience = 250;

/** MessageRow is one message: what was said, by whom, and for ours what became of it. */
export const MessageRow = memo(function MessageRow({ message: m, conversation: c, rules, follows, quoted, tabStop, onFocus, onReply, onReveal }: Props) {
  const [meta, setMeta] = useState(false);
  const out = m.direction === 'outbound';
  const note = m.direction === 'note';
  const answers = m.reply_to?.message_id;
  // In a group one sees who of it wrote.
  const author = m.direction === 'inbound' && m.sender.author ? oneLine(m.sender.name || m.sender.author, 80) : undefined;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const show = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setMeta(true), patience);
  };
  const hide = () => {
    clearTimeout(timer.current);
    setMeta(false);
  };
  // Where a button goes away under the pointer nothing tells that the pointer has left.
  const troubled = m.status === 'failed' || m.status === 'unknown';
  useEffect(() => {
    if (!troubled) hide();
  }, [troubled]);
  return (
    <div
      className={`m${out ? ' out' : ''}${note ? ' nt' : ''}${follows ? ' c' : ''}`}
      tabIndex={tabStop ? 0 : -1}
      id={m.id}
      role="article"
      aria-label={`${m.sender.name ?? ''} ${clock(m.created_at)}${out && m.status ? `, ${statusName(m.status)}` : ''}`}
      onPointerEnter={show}
      onPointerLeave={hide}
      onFocus={(e) => {
        onFocus(m.id);
        if (e.target === e.currentTarget) show(); // a button in it may go away with the focus, and then nothing would close the card
      }}
      onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && hide()}
      onKeyDown={(e) => e.key === 'Escape' && hide()}
    >
      {!out && !note && <Avatar id={m.sender.id ?? c.contact.id} name={m.sender.name ?? c.contact.name} size="md" />}
      <div className="bx">
        {note && (
          <div className="who">
            <Icon name="lock" small />
            <span>
              <b>
                <bdi>{m.sender.name}</bdi>
              </b>
              , {i18n._('note to the team')}
            </span>
          </div>
        )}
        {author && !follows && (
          <b className="t2 block cut">
            <bdi>{author}</bdi>
          </b>
        )}
        {m.reply_to && (
          <button type="button" className="qt" tabIndex={tabStop ? 0 : -1} aria-disabled={!answers} onClick={() => answers && onReveal(answers)}>
            <b>
              <bdi>{quoted?.sender.name ?? i18n._('An earlier message')}</bdi>
            </b>
            <bdi>{oneLine(quoted?.text || m.reply_to.excerpt || `[${kindOf(quoted?.type ?? '')}]`, 160)}</bdi>
          </button>
        )}
        {m.forwarded && <div className="faint t2">{i18n._('Forwarded')}</div>}
        {m.subject && (
          <div className="b" dir="auto">
            {m.subject}
          </div>
        )}
        {m.deleted_at ? <i className="faint">{i18n._('This message was taken back.')}</i> : <Content message={m} />}
        {!m.deleted_at && m.text && <PlainText text={m.text} />}
        {!m.deleted_at && <Choices message={m} />}
        <div className="ft">
          {m.hidden && <span>{i18n._('hidden')}</span>}
          {m.edited_at && <span title={full(m.edited_at)}>{i18n._('edited')}</span>}
          {out && <span className="via">{m.sent_via.kind === 'user' ? <bdi>{m.sender.name}</bdi> : sentVia(m)}</span>}
          <time dateTime={m.created_at}>{clock(m.created_at)}</time>
        </div>
        {m.reactions && m.reactions.length > 0 && (
          <span className="rx" title={i18n._('Reactions')}>
            {m.reactions.map((r) => String((r as { emoji?: string }).emoji ?? '')).join(' ')}
          </span>
        )}
      </div>
      {out && m.status && (
        <span className={`st ${m.status}`} title={statusName(m.status)}>
          <Icon name={statusIcon(m.status)} />
          <span className="sr">{statusName(m.status)}</span>
        </span>
      )}
      {!note && !m.deleted_at && <Acts message={m} conversation={c} rules={rules} tabStop={tabStop} onReply={onReply} />}
      {m.actions && m.actions.length > 0 && <ActionStates message={m} />}
      {out && <Outcome message={m} conversation={c} />}
      {meta && <Meta message={m} />}
    </div>
  );
});
