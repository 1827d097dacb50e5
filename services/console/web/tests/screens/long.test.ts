import { expect, test } from 'vitest';
import { call, Customer, enter, field, patient, running, said } from './world';

interface Item {
  position: string;
  kind: string;
  message?: { id: string; seq: number; text?: string };
}

test('10,000 messages: only those around what is read are drawn, all can be read, and what comes in is seen', async () => {
  const max = new Customer('Max Many');
  await max.say('the newest of many');
  const { id } = await max.conversation();
  const page = await enter('/inbox');
  // The server has one message; the history in front of it is made up here, in pages as it gives them.
  const { data } = await call<{ data: Item[] }>('GET', `/v1/conversations/${id}/timeline`);
  const real = data.find((i) => i.message) as Item;
  const older = 10_000;
  const made = (n: number): Item => ({ position: String(n - older), kind: 'message', message: { ...(real.message as object), id: `made_${n}`, seq: n - older, text: `old message ${n}.` } as never });
  await page.route(`**/v1/conversations/${id}/timeline?*`, async (r) => {
    const before = new URL(r.request().url()).searchParams.get('before');
    if (before === null) {
      const answer = await r.fetch();
      const json = (await answer.json()) as { prev_cursor: string | null };
      await r.fulfill({ response: answer, json: new URL(r.request().url()).searchParams.has('after') ? json : { ...json, prev_cursor: '1' } });
      return;
    }
    const last = Math.min(older, Number(before) + older - 1);
    const first = Math.max(1, last - 1_999);
    await r.fulfill({ json: { data: Array.from({ length: last - first + 1 }, (_, k) => made(first + k)), prev_cursor: first > 1 ? String(first - older) : null, next_cursor: null, has_more: first > 1 } });
  });
  await page.goto(`/inbox/${id}`);
  await said(page, 'the newest of many').waitFor();
  const drawn = () => page.locator('.m').count();
  for (let n = 1; n <= 5; n += 1) {
    await page.getByRole('button', { name: 'Load older dialogs' }).click();
    const first = said(page, `old message ${older - n * 2_000 + 1}.`);
    await expect
      .poll(async () => {
        await page.evaluate(() => document.querySelector('.scroll')?.scrollTo({ top: 0 }));
        return first.count();
      }, patient)
      .toBe(1);
    await expect.poll(drawn, patient).toBeLessThan(400);
  }
  // In the middle, where nothing was drawn a moment ago.
  await page.evaluate(() => {
    const el = document.querySelector('.scroll');
    el?.scrollTo({ top: el.scrollHeight / 2 });
  });
  await page.locator('.m', { hasText: /old message [45]\d{3}\./ }).first().waitFor();
  await expect.poll(drawn, patient).toBeLessThan(400);
  await max.say('and one more');
  await page.getByRole('button', { name: '1 new' }).click();
  await said(page, 'and one more').waitFor();
  const atEnd = () =>
    page.evaluate(() => {
      const el = document.querySelector('.scroll');
      return el ? el.scrollHeight - el.scrollTop - el.clientHeight < 60 : false;
    });
  await expect.poll(atEnd, patient).toBe(true);
  await field(page).fill('still quick');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await said(page, 'still quick').locator('.st.read').waitFor();
  // Left and come back to, it begins at its end.
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Tributary, start' }).click();
  await page.locator('.crow', { hasText: 'Max Many' }).click();
  await said(page, 'still quick').waitFor();
  await expect.poll(drawn, patient).toBeLessThanOrEqual(250);
});

test('a quoted message that is far above is gone to, and what comes in then moves nothing', async () => {
  const quo = new Customer('Quo Far');
  await quo.say('the first question');
  const { id } = await quo.conversation();
  const { data } = await call<{ data: { id: string; text?: string }[] }>('GET', `/v1/conversations/${id}/messages`);
  const first = data.find((m) => m.text === 'the first question')?.id;
  for (let n = 1; n <= 120; n += 1) await quo.say(`filler ${n}.`);
  await quo.conversation(); // with the last of them
  await call('POST', `/v1/conversations/${id}/messages`, { text: 'an answer to it', reply_to: first });
  const page = await enter(`/inbox/${id}`);
  await said(page, 'an answer to it').waitFor();
  expect(await page.locator('.m .txt', { hasText: 'the first question' }).count()).toBe(0);
  await said(page, 'an answer to it').locator('.qt').click();
  const found = page.locator('.m:focus', { has: page.locator('.txt', { hasText: 'the first question' }) });
  await found.waitFor();
  await quo.say('one more meanwhile');
  await page.getByRole('button', { name: '1 new' }).waitFor();
  const seen = await found.evaluate((m) => {
    const [box, own] = [m.closest('.scroll')?.getBoundingClientRect(), m.getBoundingClientRect()];
    return !!box && own.top >= box.top && own.bottom <= box.bottom;
  });
  expect(seen).toBe(true);
});

test('100,000 rows: a few are in the page, whatever is scrolled to, and each is where it belongs', async () => {
  const row = new Customer('Rowan Rows');
  await row.say('hi');
  const { id } = await row.conversation();
  const real = await call<object>('GET', `/v1/conversations/${id}`);
  const page = await enter('/inbox');
  const rows = 100_000;
  const of = 10_000;
  await page.route('**/v1/conversations?*', async (r) => {
    const q = new URL(r.request().url()).searchParams;
    if (q.get('limit') === '1') return r.continue();
    const at = Number(q.get('cursor') ?? 0);
    // As little of each as a row needs, so that the answers stay small.
    const data = Array.from({ length: of }, (_, k) => ({ ...real, id: `cnv_${at + k}`, contact: { id: `ct_${at + k}`, name: `Person ${at + k}.` }, unread_count: 0 }));
    const next = at + of < rows ? String(at + of) : null;
    return r.fulfill({ json: { data, next_cursor: next, prev_cursor: null, has_more: next !== null, partial: false, change_cursor: null } });
  });
  await page.goto('/inbox?view=assigned');
  await page.locator('.crow', { hasText: 'Person 0.' }).waitFor();
  const end = () => page.evaluate(() => {
    const el = document.querySelector('#rows');
    el?.scrollTo({ top: el.scrollHeight });
  });
  for (let n = 1; n <= rows / of; n += 1) {
    const last = page.locator('.crow', { hasText: `Person ${n * of - 1}.` });
    await expect
      .poll(async () => {
        await end();
        return last.count();
      }, patient)
      .toBe(1);
    expect(await page.locator('.crow').count()).toBeLessThan(80);
  }
  await page.evaluate(() => document.querySelector('#rows')?.scrollTo({ top: 0 }));
  await page.locator('.crow', { hasText: 'Person 0.' }).waitFor();
  expect(new URL(page.url()).origin).toBe(running.url);
});
