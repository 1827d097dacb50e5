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
  await expect.poll(async () => (await messages()).flatMap((m) => m.attachments).filter((a) => a.state === 'pending'), patient).toEqual([]);
  const all = await messages();
  await said(page, 'the last words').waitFor();
  const empty = (ids: string[]) =>
    ids.filter((one) => {
      const box = document.getElementById(one)?.querySelector('.bx')?.cloneNode(true) as Element | undefined;
      box?.querySelector('.ft')?.remove();
      const text = box?.textContent?.trim() ?? '';
      return !box?.querySelector('img, audio, video') && (text === '' || text === '[Message]' || text.includes('is being fetched'));
    });
  await expect.poll(() => page.evaluate(empty, all.map((m) => m.id)), patient).toEqual([]);
  // What none of us knows is said to be that, and nothing else is.
  const unknown = all.filter((m) => m.type === 'unsupported').length;
  expect(await page.locator('.m', { hasText: 'A message that the channel does not hand on' }).count()).toBeLessThanOrEqual(unknown);
});
