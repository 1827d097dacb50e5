import { expect, test } from 'vitest';
import { call, Customer, enter, patient, said } from './world';

// Every type that the simulator plays here, and everything that its people can do. What a provider does not have it refuses.
const types = [...new Set((await call<{ data: { type: string }[] }>('GET', '/simulator/accounts')).data.map((a) => a.type))];
const kinds = ['image', 'audio', 'video', 'document', 'sticker', 'location', 'contacts', 'button', 'quick_reply', 'list', 'reaction', 'edit', 'unsupported', 'referral', 'echo'];

interface Message {
  id: string;
  type: string;
  attachments: { state: string }[];
}

test.each(types)('what people do on %s is all shown, each as what it is', async (type) => {
  const kit = new Customer(`Kit Kinds ${type}`, type);
  await kit.say('the first words');
  const { id } = await kit.conversation();
  await call('POST', `/v1/conversations/${id}/messages`, { text: 'an answer' });
  const page = await enter(`/inbox/${id}`);
  await said(page, 'an answer').locator('.st:not(.queued)').waitFor();
  const done: string[] = [];
  for (const kind of kinds) {
    const taken = await kit.say(kind === 'reaction' ? '👍' : `by ${kind}`, { kind }).then(
      () => true,
      (e: Error) => {
        if (!e.message.includes(': 422 ')) throw e;
        return false;
      },
    );
    if (taken) done.push(kind);
  }
  expect(done).toContain('image');
  await kit.say('the last words');
  await kit.conversation();
  const messages = async () => (await call<{ data: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=200`)).data;
  await said(page, 'the last words').waitFor();
  const empty = (shown: [string, boolean][]) =>
    shown.flatMap(([id, fetching]) => {
      const box = document.getElementById(id)?.querySelector('.bx')?.cloneNode(true) as Element | undefined;
      box?.querySelector('.ft')?.remove();
      const text = box?.textContent?.trim() ?? '';
      const waits = text.includes('is being fetched');
      return waits !== fetching || (!box?.querySelector('img, audio, video') && (text === '' || text === '[Message]')) ? [[id, text]] : [];
    });
  const wrong = async () => page.evaluate(empty, (await messages()).map((m): [string, boolean] => [m.id, m.attachments.some((a) => a.state === 'pending')]));
  await expect.poll(wrong, patient).toEqual([]);
  // What none of us knows is said to be that, and nothing else is.
  const unknown = (await messages()).filter((m) => m.type === 'unsupported').length;
  expect(await page.locator('.m', { hasText: 'A message that the channel does not hand on' }).count()).toBeLessThanOrEqual(unknown);
});
