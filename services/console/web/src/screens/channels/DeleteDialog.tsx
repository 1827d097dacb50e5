import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, data, type Schemas } from '../../api/client';
import { faultOf } from '../../api/fault';
import { channels, simulated } from '../../api/queries';
import { i18n } from '../../locales/i18n';
import { Dialog } from '../../parts/Dialog';
import { Refused } from '../../parts/Refused';
import { toast } from '../../parts/toast';

/** DeleteDialog says what is lost with a channel, and what stays. */
export function DeleteDialog({ channel: c, onClose }: { channel: Schemas['Channel']; onClose: () => void }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: async () => {
      try {
        await data(api.DELETE('/v1/channels/{id}', { params: { path: { id: c.id } } }));
      } catch (error) {
        if (faultOf(error).status !== 404) throw error; // somebody was faster: it is gone
      }
    },
    onSuccess: async () => {
      toast('check', i18n._('{name} is deleted', { name: c.name }));
      void cache.invalidateQueries({ queryKey: channels.queryKey });
      void cache.invalidateQueries({ queryKey: simulated.queryKey });
      await navigate({ to: '/channels' });
      cache.removeQueries({ queryKey: ['channel', c.id] });
    },
  });
  return (
    <Dialog
      open
      title={i18n._('Delete {name}?', { name: c.name })}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="btn" onClick={onClose}>
            {i18n._('Keep it')}
          </button>
          <button type="button" className="btn bad" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {i18n._('Delete the channel')}
          </button>
        </>
      }
    >
      <div className="stack">
        <p>{i18n._('This cannot be undone. To stop for a while, switch the channel off instead.')}</p>
        <div>
          <b>{i18n._('What is lost')}</b>
          <ul className="bullets">
            <li>{i18n._('Its settings and secrets: nobody has them any more')}</li>
            <li>{i18n._('Calls of the provider to its webhook URL: they are refused from now on')}</li>
            <li>{i18n._('Messages that still wait to be sent: they fail')}</li>
          </ul>
        </div>
        <div>
          <b>{i18n._('What stays')}</b>
          <ul className="bullets">
            <li>{i18n._('Its conversations and contacts: they can be read, and not answered')}</li>
            <li>{i18n._('The account at the provider: another channel can have it')}</li>
          </ul>
        </div>
        {remove.error && <Refused error={remove.error} again={() => remove.mutate()} />}
      </div>
    </Dialog>
  );
}
