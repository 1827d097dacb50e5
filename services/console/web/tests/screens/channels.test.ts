import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { call, patient, problem, signIn, visit } from './world';

interface Channel {
  id: string;
  name: string;
  version: number;
  settings: Record<string, unknown>;
  webhook_url: string;
}

interface Offer {
  type: string;
  settings: Record<string, string>;
  secrets: Record<string, string>;
}

const offer = async (type: string) => (await call<{ data: Offer[] }>('GET', '/simulator/types')).data.find((o) => o.type === type) as Offer;

/** made is a channel whose provider is the simulator. */
async function made(type: string, name: string): Promise<Channel> {
  const { settings, secrets } = await offer(type);
  return call<Channel>('POST', '/v1/channels', { type, name, settings, secrets });
}

async function open(at: string, options: Parameters<typeof visit>[1] = {}): Promise<Page> {
  const page = await visit(at, options);
  await signIn(page);
  await page.locator('.set').waitFor();
  return page;
}

const row = (page: Page, label: string) => page.locator('.sr2', { has: page.getByText(label, { exact: true }) });
const kept = (page: Page) => page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));

test('a channel is made from the form of its type; what is wrong is said at its field, by the page and by the API', async () => {
  const page = await open('/channels/new');
  const create = page.getByRole('button', { name: 'Create the channel' });
  await page.locator('.ty', { hasText: 'LINE' }).click();
  await page.getByLabel('Name', { exact: true }).fill('LINE Bangkok');
  const destination = `U${'0123456789abcdef'.repeat(2)}`;
  await page.getByLabel('Your user ID', { exact: true }).fill('not an id');
  await page.getByText('This does not look as it should.').waitFor();
  await page.getByLabel('Your user ID', { exact: true }).fill(`${destination.slice(0, 9)} ${destination.slice(9)}`);
  await page.getByRole('button', { name: `Use ${destination.slice(0, 33)}` }).click();
  expect(await page.getByLabel('Your user ID', { exact: true }).inputValue()).toBe(destination);
  expect(await create.getAttribute('aria-disabled')).toBe('true'); // its secrets are missing
  await page.getByLabel('Channel secret', { exact: true }).fill('a-secret-of-line-0123456789');
  await page.getByLabel('Channel access token', { exact: true }).fill('a-token-of-line-0123456789');
  await page.getByLabel('API base URL', { exact: true }).fill('no address');
  await create.click();
  await row(page, 'API base URL').getByText('Want an http or https URL without credentials.').waitFor();
  await page.getByLabel('API base URL', { exact: true }).and(page.locator(':focus[aria-invalid=true]')).waitFor();
  expect(await page.getByLabel('Channel secret', { exact: true }).inputValue()).toBe('a-secret-of-line-0123456789');
  await page.getByLabel('API base URL', { exact: true }).fill('');
  await create.click();
  await page.getByRole('heading', { name: 'LINE Bangkok' }).waitFor();
  await page.getByText(/\/webhooks\/line\/ch_/).first().waitFor();
  await row(page, 'Channel secret').getByText('set', { exact: true }).waitFor();
  expect(await page.content()).not.toContain('a-secret-of-line');
  expect(await kept(page)).not.toContain('a-secret-of-line');

  // The same account once more.
  await page.goto('/channels/new');
  await page.locator('.ty', { hasText: 'LINE' }).click();
  await page.getByLabel('Name', { exact: true }).fill('LINE again');
  await page.getByLabel('Your user ID', { exact: true }).fill(destination);
  await page.getByLabel('Channel secret', { exact: true }).fill('another-secret-0123456789');
  await page.getByLabel('Channel access token', { exact: true }).fill('another-token-0123456789');
  await create.click();
  await row(page, 'Your user ID').getByText(/Another channel has the destination/).waitFor();
});

test('what somebody else saved meanwhile is shown, what was typed is kept, and one more click decides', async () => {
  const c = await made('line', 'LINE Phuket');
  const page = await open(`/channels/${c.id}`);
  await page.getByLabel('Name', { exact: true }).fill('LINE Krabi');
  await page.getByLabel('API base URL', { exact: true }).fill('https://mine.example');
  await call('PATCH', `/v1/channels/${c.id}`, { settings: { api_base_url: 'https://theirs.example' } });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody changed this channel meanwhile').waitFor();
  await row(page, 'API base URL').getByText('https://theirs.example').waitFor();
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('LINE Krabi');
  expect(await page.getByLabel('API base URL', { exact: true }).inputValue()).toBe('https://mine.example');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  expect(await page.getByLabel('API base URL', { exact: true }).inputValue()).toBe('https://theirs.example');
  await page.getByRole('button', { name: 'Save over it' }).click();
  await page.getByRole('heading', { name: 'LINE Krabi' }).waitFor();
  expect(await call<Channel>('GET', `/v1/channels/${c.id}`)).toMatchObject({ name: 'LINE Krabi', settings: { api_base_url: 'https://theirs.example' } });
});

test('what may pass is tried again by itself, what will not is said, and nothing typed is lost', async () => {
  const c = await made('telegram', 'Bot One');
  const page = await open(`/channels/${c.id}`);
  const patched = (...answers: ReturnType<typeof problem>[]) => page.route(`**/v1/channels/${c.id}`, (r) => (r.request().method() === 'PATCH' && answers.length > 0 ? r.fulfill({ headers: { 'Retry-After': '1' }, ...answers.shift() }) : r.fallback()));
  await patched(problem(503, 'unavailable'), problem(429, 'rate_limited'));
  await page.getByLabel('Name', { exact: true }).fill('Bot Two');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('A part of the server is away.').waitFor();
  await page.getByText('Too many requests at once.').waitFor();
  await page.getByRole('heading', { name: 'Bot Two' }).waitFor();
  await page.unrouteAll();

  await patched(problem(403, 'forbidden', { detail: 'it needs the permission channels.write' }));
  await page.getByLabel('Name', { exact: true }).fill('Bot Three');
  await page.getByRole('button', { name: 'Replace: Bot token' }).click();
  await page.getByLabel('Bot token', { exact: true }).fill('1:a-new-token');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Your role does not allow this: it needs the permission channels.write.').waitFor();
  await page.getByRole('link', { name: 'All channels' }).click();
  await page.getByRole('link', { name: 'Bot Two' }).click();
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Bot Three');
  expect(await page.getByLabel('Bot token', { exact: true }).inputValue()).toBe('1:a-new-token');
  await page.reload();
  await page.getByText('1 change not saved').waitFor();
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Bot Three');
  expect(await kept(page)).not.toContain('a-new-token');
  await page.getByRole('button', { name: 'Discard' }).click();
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Bot Two');
});

test('a made-up account makes a channel that is tested, played at once, and whose calls are taken again', async () => {
  const page = await open('/channels/new');
  await page.locator('.ty', { hasText: 'WhatsApp' }).click();
  await page.getByRole('button', { name: 'Fill in a made-up account' }).click();
  await page.getByRole('button', { name: 'Create the channel' }).click();
  await page.getByRole('heading', { name: 'WhatsApp, simulated' }).waitFor();

  await page.getByRole('button', { name: 'Test the connection' }).click();
  await page.getByText('Works', { exact: true }).waitFor();
  await page.locator('.steps').getByText(/subscribed_apps/).waitFor();

  await page.getByRole('link', { name: 'Simulate', exact: true }).click();
  await page.getByRole('button', { name: /^as / }).click();
  await page.getByRole('menuitem', { name: 'Somebody else…' }).click();
  await page.getByLabel('Number or id').fill('+491601234567');
  await page.getByLabel('Name', { exact: true }).fill('Pia Played');
  await page.getByRole('button', { name: 'Write as them' }).click();
  await page.getByPlaceholder('Write as Pia Played…').fill('first words');
  await page.keyboard.press('Enter');
  await page.locator('.pm.me', { hasText: 'first words' }).getByText('taken by the channel').waitFor({ state: 'attached' });
  await page.goBack();

  await page.getByRole('tab', { name: 'Webhook log' }).click();
  const line = page.locator('.logt tr', { has: page.getByText('accepted', { exact: true }) }).first();
  await line.getByText('one event').waitFor();
  await line.getByRole('button', { name: 'Show' }).click();
  await page.locator('.logt .more').getByText(/^evt_/).waitFor();
  await line.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('Taken again: one event, which has happened once').waitFor();
  await page.locator('.logt').getByText('taken again', { exact: true }).waitFor();
  const id = page.url().split('/').at(-1);
  const { data } = await call<{ data: { id: string; channel: { id: string } }[] }>('GET', '/v1/conversations?view=all&limit=200');
  const said = await Promise.all(data.filter((c) => c.channel.id === id).map((c) => call<{ data: { direction: string }[] }>('GET', `/v1/conversations/${c.id}/messages?limit=50`)));
  expect(said.flatMap((m) => m.data).filter((m) => m.direction === 'inbound')).toHaveLength(1);
  await page.getByRole('button', { name: 'Problems 0' }).click();
  await page.getByText('Every one of the latest calls was understood.').waitFor();
});

test('a test that fails says at which step, and what the provider said', async () => {
  const c = await made('telegram', 'Bot with a wrong token');
  await call('PATCH', `/v1/channels/${c.id}`, { settings: { api_base_url: `${c.settings['api_base_url']}/nowhere` } });
  const page = await open(`/channels/${c.id}`);
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await page.getByText('Stopped at step 1').waitFor();
  await page.locator('.steps .er').getByText(/setWebhook/).waitFor();
  expect(await page.getByText('Works', { exact: true }).count()).toBe(0);
  await page.getByRole('button', { name: 'Let the simulator be the provider' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('link', { name: 'Simulate', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Test again' }).click();
  await page.getByText('Works', { exact: true }).waitFor();
});

test('a recorded call is taken, pasted or from a file, and what cannot be understood is said', async () => {
  const c = await made('telegram', 'Bot of recorded calls');
  const page = await open(`/channels/${c.id}`);
  await page.getByRole('button', { name: 'Take a recorded call…' }).click();
  const dialog = page.getByRole('dialog');
  const update = (n: number) => JSON.stringify({ update_id: n, message: { message_id: n, date: 1_790_000_000, from: { id: 77, first_name: 'Rec' }, chat: { id: 77, type: 'private', first_name: 'Rec' }, text: `recorded ${n}` } });
  await dialog.getByLabel('Payload', { exact: true }).fill('no update');
  await dialog.getByRole('button', { name: 'Take it' }).click();
  await dialog.getByText(/cannot be understood/).waitFor();
  expect(await dialog.getByLabel('Payload', { exact: true }).inputValue()).toBe('no update');
  await dialog.getByLabel('Payload', { exact: true }).fill(update(501));
  await dialog.getByRole('button', { name: 'Take it' }).click();
  await dialog.getByText('Taken: one event').waitFor();
  const payload = () => dialog.getByLabel('Payload', { exact: true }).inputValue();
  const file = (name: string, buffer: Buffer) => page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  await file('update.json', Buffer.from(update(502)));
  await expect.poll(payload, patient).toBe(update(502));
  await dialog.getByRole('button', { name: 'Take it' }).click();
  await dialog.getByText('Taken: one event').waitFor();
  await file('picture.bin', Buffer.from([0xff, 0xfe, 0x00]));
  await dialog.getByText('picture.bin').waitFor();
  await dialog.getByRole('button', { name: 'Take it' }).click();
  await dialog.getByText(/cannot be understood/).waitFor();
  for (;;) {
    const { data } = await call<{ data: { peer: string; last_message?: { text?: string } }[] }>('GET', '/v1/conversations?view=all&limit=200');
    if (data.some((one) => one.peer === '77' && JSON.stringify(one).includes('recorded 502'))) break;
    await new Promise((next) => setTimeout(next, 50));
  }
});

test('who deletes a channel is told what is lost, and it is gone from the list and from the simulator', async () => {
  const c = await made('line', 'LINE to be deleted');
  const page = await open(`/channels/${c.id}`);
  const start = async () => {
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete the channel…' }).click();
  };
  await start();
  await page.getByText('Messages that still wait to be sent: they fail').waitFor();
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await start();
  await page.getByRole('button', { name: 'Delete the channel', exact: true }).click();
  await page.getByText('Pick a channel').waitFor();
  await page.getByRole('link', { name: 'LINE to be deleted' }).waitFor({ state: 'detached' });
  const { data } = await call<{ data: { webhook_url: string }[] }>('GET', '/simulator/accounts');
  expect(data.some((a) => a.webhook_url === c.webhook_url)).toBe(false);
  await page.goto(`/channels/${c.id}`);
  await page.getByRole('heading', { name: 'Not found' }).waitFor();
});

test('on a phone there is a way back, and nothing scrolls sideways', async () => {
  const c = await made('whatsapp', 'WhatsApp with a name that is long enough to be cut on a phone');
  for (const [width, height] of [
    [390, 844],
    [320, 640],
  ] as const) {
    const page = await open(`/channels/${c.id}`, { viewport: { width, height } });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth && (document.querySelector('.page')?.scrollWidth ?? 0) <= (document.querySelector('.page')?.clientWidth ?? 0));
    await page.getByRole('heading', { name: 'What this channel can do' }).waitFor();
    expect(await fits()).toBe(true);
    await page.getByLabel('Name', { exact: true }).fill('shorter');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('tab', { name: 'Webhook log' }).click();
    await page.getByText('No call yet').waitFor();
    expect(await fits()).toBe(true);
    await page.getByRole('link', { name: 'All channels' }).click();
    await page.getByRole('link', { name: 'New channel' }).click();
    await page.getByRole('group', { name: 'Type' }).waitFor();
    expect(await fits()).toBe(true);
    await page.getByRole('link', { name: 'All channels' }).click();
    await page.getByRole('link', { name: /^WhatsApp with a name/ }).first().waitFor();
  }
});

test.each([
  ['light', 1440, 900],
  ['dark', 1024, 768],
] as const)('axe finds nothing serious in the %s theme at %d by %d', async (colorScheme, width, height) => {
  const c = await made('telegram', `Bot ${colorScheme}`);
  await call('POST', '/simulator/inbound', { type: 'telegram', account: c.settings['bot_username'], from: '3527065', name: 'Kim', text: 'look' });
  const page = await open(`/channels/${c.id}`, { colorScheme, reducedMotion: 'reduce', viewport: { width, height } });
  const serious = async () => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary ?? ''}`));
  };
  await page.getByRole('heading', { name: 'What this channel can do' }).waitFor();
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await page.getByText('Works', { exact: true }).waitFor();
  await page.getByLabel('Bot username', { exact: true }).fill('no name');
  await page.getByText('This does not look as it should.').waitFor();
  expect(await serious(), 'connection').toEqual([]);
  await page.getByRole('tab', { name: 'Webhook log' }).click();
  await page.getByRole('button', { name: 'Show' }).first().click();
  expect(await serious(), 'log').toEqual([]);
  await page.getByRole('tab', { name: 'Connection' }).click();
  await page.getByRole('button', { name: 'Take a recorded call…' }).click();
  await page.getByText('Method, path, query and headers').click();
  expect(await serious(), 'recorded call').toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete the channel…' }).click();
  expect(await serious(), 'deletion').toEqual([]);
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('link', { name: 'New channel' }).click();
  await page.getByRole('group', { name: 'Type' }).waitFor();
  expect(await serious(), 'new').toEqual([]);
});
