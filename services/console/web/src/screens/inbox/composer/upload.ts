import type { Attachment } from '../../../api/client';
import { sessionIsOver } from '../../../api/client';
import { faultOf, offline, problem } from '../../../api/fault';
import { changeDraft, type DraftFile, draftOf } from '../../../live/drafts';
import { i18n } from '../../../locales/i18n';
import { worded } from '../../../parts/words';

const running = new Map<string, XMLHttpRequest>();

/** attach uploads files to the draft of a conversation, each with its progress; it goes on while another conversation is looked at. */
export function attach(conversation: string, files: Iterable<File>): void {
  for (const file of files) {
    const key = crypto.randomUUID();
    const preview = file.type.startsWith('image/') && file.type !== 'image/svg+xml' ? URL.createObjectURL(file) : undefined;
    const entry: DraftFile = { key, name: file.name || i18n._('Pasted file'), size: file.size, type: file.type, progress: 0, preview };
    changeDraft(conversation, (d) => ({ files: [...d.files, entry] }));
    const put = (change: Partial<DraftFile>) =>
      changeDraft(conversation, (d) => ({ files: d.files.map((f) => (f.key === key ? { ...f, ...change } : f)) }));
    upload(key, file, (progress) => put({ progress })).then(
      (a) => {
        const really = a.mime && file.type && kind(a.mime) !== kind(file.type) ? a.mime : undefined;
        if (really && preview) URL.revokeObjectURL(preview);
        put({ id: a.id, progress: 1, type: a.mime ?? file.type, really, ...(really && { preview: undefined }) });
      },
      (error: unknown) => put({ error: worded(faultOf(error)) }),
    );
  }
}

/** kind is what a file is shown as: image, audio, video, or something else. */
const kind = (mime: string) => /^(image|audio|video)\//.exec(mime)?.[1] ?? 'other';

/** detach takes a file off a draft, and stops its upload. */
export function detach(conversation: string, key: string): void {
  running.get(key)?.abort();
  const preview = draftOf(conversation).files.find((f) => f.key === key)?.preview;
  if (preview) URL.revokeObjectURL(preview);
  changeDraft(conversation, (d) => ({ files: d.files.filter((f) => f.key !== key) }));
}

// fetch does not tell how far an upload is.
function upload(key: string, file: File, progress: (p: number) => void): Promise<Attachment> {
  return new Promise((done, failed) => {
    const call = new XMLHttpRequest();
    running.set(key, call);
    call.open('POST', '/v1/attachments');
    call.upload.onprogress = (e) => e.lengthComputable && progress(Math.min(0.99, e.loaded / e.total));
    call.onerror = () => failed(offline('upload'));
    call.onloadend = () => running.delete(key);
    call.onload = () => {
      if (call.status === 201) {
        done(JSON.parse(call.responseText) as Attachment);
        return;
      }
      if (call.status === 401) sessionIsOver();
      const type = call.getResponseHeader('Content-Type') ?? '';
      void problem(new Response(call.responseText, { status: call.status, headers: { 'Content-Type': type } })).then(failed);
    };
    const form = new FormData();
    form.append('file', file, file.name || 'file');
    call.send(form);
  });
}
