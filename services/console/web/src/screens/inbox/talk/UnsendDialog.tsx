import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, data, type Message } from '../../../api/client';
import { keepMessage } from '../../../live/timeline';
import { i18n } from '../../../locales/i18n';
import { Dialog } from '../../../parts/Dialog';
import { oneLine } from '../../../parts/plain';
import { worded } from '../../../parts/words';

/** UnsendDialog asks before a message is taken back: what it said is gone for good then. */
export default function UnsendDialog({ message: m, onClose }: { message: Message; onClose: () => void }) {
  const cache = useQueryClient();
  const unsend = useMutation({
    mutationFn: () => data(api.POST('/v1/messages/{id}/unsend', { params: { path: { id: m.id } } })),
    onSuccess: (now) => {
      keepMessage(cache, now);
      onClose();
    },
  });
  return (
    <Dialog
      open
      title={i18n._('Take the message back')}
      description={i18n._('It disappears at the person and here; what it says is erased for good. They may have read it.')}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="btn ghost" onClick={onClose}>
            {i18n._('Keep it')}
          </button>
          <button type="button" className="btn bad" aria-disabled={unsend.isPending} onClick={() => !unsend.isPending && unsend.mutate()}>
            {i18n._('Take back')}
          </button>
        </>
      }
    >
      {m.text && (
        <p className="mt-2">
          “<bdi>{oneLine(m.text, 300)}</bdi>”
        </p>
      )}
      {unsend.isError && (
        <p className="er" role="alert">
          {worded(unsend.error)}
        </p>
      )}
    </Dialog>
  );
}
