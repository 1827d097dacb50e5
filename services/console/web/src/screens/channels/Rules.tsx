import type { Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { size } from '../../parts/size';

interface Send {
  types?: string[];
  text?: { max: number };
  media?: Record<string, { max_bytes: number }>;
  reply_to?: boolean;
  reactions?: boolean;
}

/** Rules are what the channel can do, as a table. */
export function Rules({ rules }: { rules: Schemas['ChannelRules'] }) {
  const send = rules.send as Send;
  const no = i18n._('no');
  const yes = i18n._('yes');
  const files = Object.entries(send.media ?? {}).map(([kind, m]) => `${kind} ${size(m.max_bytes)}`);
  const rows: [string, string][] = [
    [i18n._('Window'), [rules.window.kind, rules.window.for].filter(Boolean).join(', ') || no],
    [i18n._('Statuses'), rules.statuses?.join(', ') || no],
    [i18n._('May write first'), rules.starts.may ? (rules.starts.with ? i18n._('with a {what}', { what: rules.starts.with }) : yes) : no],
    [i18n._('Kinds'), send.types?.join(', ') || no],
    [i18n._('Text'), send.text ? i18n._('{n, number} characters', { n: send.text.max }) : no],
    [i18n._('Files'), files.join(', ') || no],
    [i18n._('Reply to'), send.reply_to ? yes : no],
    [i18n._('Reactions'), send.reactions ? yes : no],
  ];
  return (
    <>
      <h3 className="sh">{i18n._('What this channel can do')}</h3>
      <dl className="caps">
        {rows.map(([name, what]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
