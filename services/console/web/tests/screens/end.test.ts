import { crc32, deflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { call, Customer, enter, field, patient, said } from './world';

/** png is a picture of one colour, in base64. */
function png(width: number, height: number): string {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8); // eight bits of three colours
  const rows = Buffer.alloc(height * (1 + 3 * width), 0x60);
  for (let y = 0; y < height; y += 1) rows[y * (1 + 3 * width)] = 0;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]).toString('base64');
}

const below = (page: Page) => page.locator('.scroll').evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);

test.each([true, false])('a picture that is loaded late leaves the timeline at its end, whether its size is known (%s)', async (known) => {
  const pip = new Customer(known ? 'Pip Picture' : 'Pam Picture');
  for (let n = 1; n <= 20; n += 1) await pip.say(`line ${n}.`);
  const { id } = await pip.conversation();
  await pip.say('look', { kind: 'image', media: { mime: 'image/png', name: 'one.png', data: png(480, 360) } });
  const state = async () => (await call<{ data: { attachments: { state: string }[] }[] }>('GET', `/v1/conversations/${id}/messages`)).data.at(-1)?.attachments[0]?.state;
  await expect.poll(state, patient).toBe('ready');
  const page = await enter('/inbox');
  let load = () => {};
  const loaded = new Promise<void>((done) => (load = done));
  await page.route(/\/v1\/attachments\/[^/]+\/preview/, async (r) => {
    await loaded;
    await r.continue();
  });
  if (!known) {
    await page.route(`**/v1/conversations/${id}/timeline?*`, async (r) => {
      const answer = await r.fetch();
      await r.fulfill({ response: answer, body: (await answer.text()).replaceAll(/"(width|height)":\d+/g, '"$1":0') });
    });
  }
  await page.goto(`/inbox/${id}`);
  const picture = page.locator('.m .pic img');
  await picture.waitFor({ state: 'attached' });
  await said(page, 'look').waitFor();
  const [room, before] = await Promise.all([picture.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.getBoundingClientRect().height]), below(page)]);
  expect(before).toBeLessThan(2);
  expect(room[0]).toBe(0);
  if (known) expect(room[1]).toBe(180);
  load();
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.getBoundingClientRect().height]), patient).toEqual([240, 180]);
  await expect.poll(() => below(page), patient).toBeLessThan(2);
  // A field that gets higher leaves it there, too; and who reads further up stays where they are.
  await field(page).fill('a\nb\nc\nd\ne\nf');
  await expect.poll(() => below(page), patient).toBeLessThan(2);
  await page.locator('.scroll').evaluate((el) => el.scrollTo({ top: 0 }));
  await page.getByRole('button', { name: 'Latest' }).waitFor();
  await pip.say('something below');
  await page.getByRole('button', { name: '1 new' }).waitFor();
  expect(await page.locator('.scroll').evaluate((el) => el.scrollTop)).toBeLessThan(2);
  await page.getByRole('button', { name: '1 new' }).click();
  await expect.poll(() => below(page), patient).toBeLessThan(2);
});
