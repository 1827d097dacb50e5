import { i18n } from '../../locales/i18n';
import { Dialog } from '../../parts/Dialog';

/** KeysDialog lists the keys. */
export default function KeysDialog({ onClose }: { onClose: () => void }) {
  const keys: [string, string][] = [
    ['J · K', i18n._('next, previous conversation')],
    ['↑ · ↓ · Enter', i18n._('move in the list, open')],
    ['[ · ]', i18n._('previous, next message')],
    ['R', i18n._('reply')],
    ['N', i18n._('note')],
    ['Ctrl + Enter', i18n._('send, save the note')],
    ['A', i18n._('assign or transfer')],
    ['T', i18n._('take the conversation')],
    ['S', i18n._('snooze')],
    ['E', i18n._('close the conversation')],
    ['D', i18n._('contact details')],
    ['/', i18n._('search')],
    ['Ctrl + K', i18n._('find everything')],
    ['?', i18n._('this list')],
    ['Esc', i18n._('close what is open, leave a field')],
  ];
  return (
    <Dialog open title={i18n._('Keys')} description={i18n._('Single letters rest while a field has the focus.')} onClose={onClose}>
      <dl className="dl mt-2">
        {keys.map(([key, does]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="kbd">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
