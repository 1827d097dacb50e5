import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { call, newNumber, patient, signIn, visit } from './world';

interface Conversation {
  id: string;
  peer: string;
}

/** play opens the simulator as somebody of one's own. */
async function play(name: string, options: Parameters<typeof visit>[1] = {}): Promise<{ page: Page; digits: string }> {
  const digits = newNumber();
  const page = await visit('/simulator', options);
  await signIn(page);
  await page.getByRole('button', { name: /^as / }).click();
  await page.getByRole('menuitem', { name: 'Somebody else…' }).click();
  await page.getByLabel('Number or id').fill(`+${digits}`);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Write as them' }).click();
  await page.getByPlaceholder(`Write as ${name}…`).waitFor();
  return { page, digits };
}

const write = async (page: Page, text: string) => {
  await page.getByLabel('Write as the customer').fill(text);
  await page.keyboard.press('Enter');
  await page.locator('.pm.me', { hasText: text }).getByText('taken by the channel').waitFor({ state: 'attached' });
};

async function conversation(digits: string): Promise<string> {
  for (;;) {
    const { data } = await call<{ data: Conversation[] }>('GET', '/v1/conversations?view=all&limit=200');
    const found = data.find((c) => c.peer === digits);
    if (found) return found.id;
    await new Promise((next) => setTimeout(next, 50));
  }
}

async function message(conversation: string, text: string): Promise<{ id: string }> {
  for (;;) {
    const { data } = await call<{ data: { id: string; text?: string }[] }>('GET', `/v1/conversations/${conversation}/messages?limit=50`);
    const found = data.find((m) => m.text === text);
    if (found) return found;
    await new Promise((next) => setTimeout(next, 50));
  }
}

const answer = (id: string, body: object) => call('POST', `/v1/conversations/${id}/messages`, body);
const theirs = (page: Page, text: string) => page.locator('.pm:not(.me)', { hasText: text });

test('somebody is the customer: writes, is answered, presses a button, and sees what the provider saw', async () => {
  const { page, digits } = await play('Siti Sim');
  await write(page, 'Halo dari simulator');
  const id = await conversation(digits);
  await answer(id, { interactive: { kind: 'buttons', body: 'Track it?', buttons: [{ id: 'track', title: 'Track' }, { id: 'stop', title: 'Stop' }] } });
  await theirs(page, 'Track it?').getByText('read', { exact: true }).waitFor();
  await theirs(page, 'Track it?').getByRole('button', { name: 'Track' }).click();
  await page.locator('.pm.me', { hasText: 'Track' }).getByText('taken by the channel').waitFor({ state: 'attached' });
  for (;;) {
    const { data } = await call<{ data: { direction: string; text?: string }[] }>('GET', `/v1/conversations/${id}/messages?limit=50`);
    if (data.some((m) => m.direction === 'inbound' && JSON.stringify(m).includes('track'))) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  const row = page.locator('.call', { hasText: '“Track it?”' });
  await row.getByText('200').waitFor();
  await row.getByRole('button').first().click();
  await row.getByText('"messaging_product": "whatsapp"').waitFor();
  await page.reload();
  await page.locator('.pm.me', { hasText: 'Halo dari simulator' }).waitFor();
  await theirs(page, 'Track it?').waitFor();
});

test('pictures, files, places, reactions, edits and deletions are made as the provider has them; what it does not have is said', async () => {
  const { page, digits } = await play('Kira Kinds');
  await write(page, 'a first text');
  const id = await conversation(digits);
  await answer(id, { text: 'an answer' });
  await theirs(page, 'an answer').waitFor();
  await page.getByRole('button', { name: 'Photo' }).click();
  await page.getByRole('menuitem', { name: 'Send a made-up one' }).click();
  await page.getByRole('button', { name: 'Location', exact: true }).click();
  await page.locator('.pm.me', { hasText: 'Location' }).getByText('taken by the channel').waitFor({ state: 'attached' });
  await page.locator('.pm.me', { hasText: 'Picture' }).getByText('taken by the channel').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'React', exact: true }).click();
  await page.getByRole('menuitem', { name: '❤️' }).click();
  await theirs(page, 'an answer').getByText('You reacted with ❤️').waitFor({ state: 'attached' });
  await answer(id, { reaction: { emoji: '🙏', message_id: (await message(id, 'a first text')).id } });
  await page.locator('.pm.me', { hasText: 'a first text' }).getByText('The account reacted with 🙏').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Other', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Is typing' }).click();
  await page.locator('.pm.me.ev', { hasText: 'Is typing' }).locator('.er').waitFor();
  const own = page.locator('.pm.me', { hasText: 'a first text' });
  await own.getByRole('button', { name: 'Pick this message' }).click();
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Write as the customer').fill('a first text, mended');
  await page.keyboard.press('Enter');
  await own.getByText('edited', { exact: true }).waitFor();
  await own.getByText('a first text, mended').waitFor();
  await own.getByRole('button', { name: 'Pick this message' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('You deleted this message.').waitFor();
  for (;;) {
    const m = await call<{ data: { deleted_at?: string | null }[] }>('GET', `/v1/conversations/${id}/messages?limit=50`);
    if (m.data.some((one) => one.deleted_at)) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  await expect.poll(() => page.locator('.pm.ev').count(), patient).toBe(1); // what the provider does not have
  const kinds = new Set<string>();
  while (!['image', 'location'].every((k) => kinds.has(k))) {
    const { data } = await call<{ data: { type: string }[] }>('GET', `/v1/conversations/${id}/messages?limit=50`);
    for (const m of data) kinds.add(m.type);
    await new Promise((next) => setTimeout(next, 50));
  }
});

test('the provider is made to misbehave, and behaves again', async () => {
  const { page, digits } = await play('Lou Lost');
  await write(page, 'hello');
  const id = await conversation(digits);
  await page.getByRole('tab', { name: 'Misbehave' }).click();
  await page.getByRole('switch', { name: /^Refuse/ }).click();
  await page.getByLabel('Error').selectOption('131047');
  await page.getByRole('button', { name: 'Behave like this' }).click();
  for (;;) {
    const script = await call<{ fail?: { code: number } }>('GET', '/simulator/script?type=whatsapp');
    if (script.fail?.code === 131047) break;
    await new Promise((next) => setTimeout(next, 50));
  }
  await answer(id, { text: 'too late' });
  await page.getByRole('tab', { name: /^Calls/ }).click();
  await page.locator('.call', { hasText: '131047' }).first().waitFor();
  await page.getByRole('tab', { name: 'Misbehave' }).click();
  await page.getByRole('button', { name: 'Behave as usual' }).click();
  await page.getByRole('switch', { name: /^Refuse/, checked: false }).waitFor();
  expect(await call('GET', '/simulator/script?type=whatsapp')).toEqual({});
});

test('nothing of what is written there runs', async () => {
  const { page, digits } = await play('<b onclick="window.ran=1">Eve</b>');
  await write(page, '<img src=x onerror="window.ran=1">');
  await answer(await conversation(digits), { text: '<svg onload="window.ran=1"> javascript:window.ran=1' });
  await theirs(page, '<svg onload').waitFor();
  expect(await page.locator('.pm img, .pm svg[onload], .pm b[onclick]').count()).toBe(0);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});

test('without a simulator there is no entry in the menu, and the page says so', async () => {
  const page = await visit('/signin?to=%2Fsimulator');
  await page.route('**/simulator/accounts', (r) => r.fulfill({ status: 404, contentType: 'text/plain', body: 'no' }));
  await signIn(page);
  await page.getByText('There is no simulator here').waitFor();
  expect(await page.getByRole('link', { name: 'Simulator' }).count()).toBe(0);
});

test.each([
  ['light', 1440, 900],
  ['dark', 1024, 768],
  ['light', 390, 844],
] as const)('axe finds nothing serious in the %s theme at %d by %d, and nothing scrolls sideways', async (colorScheme, width, height) => {
  const { page } = await play(`Ada ${width}`, { colorScheme, reducedMotion: 'reduce', viewport: { width, height } });
  await write(page, 'look at me');
  await page.locator('.call > button').first().click();
  const serious = async () => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary ?? ''}`));
  };
  expect(await serious(), 'calls').toEqual([]);
  await page.getByRole('tab', { name: 'Misbehave' }).click();
  await page.getByRole('switch', { name: /^Refuse/ }).click();
  expect(await serious(), 'script').toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
});
