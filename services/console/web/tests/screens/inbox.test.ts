import { expect, test } from 'vitest';
import { call, Customer, enter, field, said } from './world';

interface Message {
  text?: string;
  direction: string;
  status: string | null;
}

const messages = async (id: string) => (await call<{ data: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=50`)).data;

test('a message comes in, is answered, and what becomes of the answer is seen as it happens', async () => {
  const siti = new Customer('Siti Rahmawati');
  const page = await enter('/inbox');
  await siti.say('Halo, paket saya belum sampai');
  const row = page.locator('.crow', { hasText: 'Siti Rahmawati' });
  await row.getByText('1 unread').waitFor({ state: 'attached' });
  await row.click();
  await said(page, 'Halo, paket saya').waitFor();
  await row.getByText('1 unread').waitFor({ state: 'detached' });
  await field(page).fill('Kami kirim hari ini');
  await page.keyboard.press('Control+Enter');
  await said(page, 'Kami kirim hari ini').locator('.st.read').waitFor();
  expect(await field(page).inputValue()).toBe('');
  await page.getByText('Assigned to Owner by Owner').waitFor();

  await said(page, 'Kami kirim hari ini').hover();
  const card = page.locator('.meta');
  for (const word of ['Sent via', 'User, console', 'Queued', 'Sent', 'Delivered', 'Read', 'Provider id']) await card.getByText(word, { exact: true }).waitFor();

  await siti.say('Terima kasih');
  await said(page, 'Terima kasih').waitFor();
  const { id } = await siti.conversation();
  expect((await messages(id)).map((m) => m.text)).toEqual(['Halo, paket saya belum sampai', 'Kami kirim hari ini', 'Terima kasih']);
});

test('a note is for the team, a quote names what is answered, and each keeps its own text', async () => {
  const bo = new Customer('Bo Quote');
  await bo.say('Which size do you have?');
  const { id } = await bo.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'Which size').hover();
  await page.getByRole('button', { name: 'Reply to this' }).click();
  await field(page).fill('Size M');
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  expect(await field(page).inputValue()).toBe('');
  await field(page).fill('ask the warehouse');
  await page.getByRole('button', { name: 'Save note' }).click();
  await page.locator('.m.nt', { hasText: 'ask the warehouse' }).waitFor();
  await page.getByRole('button', { name: 'Reply', exact: true }).click();
  expect(await field(page).inputValue()).toBe('Size M');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.m.out', { hasText: 'Size M' }).locator('.qt', { hasText: 'Which size' }).waitFor();
  expect((await messages(id)).map((m) => m.direction)).toEqual(['inbound', 'note', 'outbound']);
});

test('files are dropped and pasted, shown with their progress, and go along', async () => {
  const fay = new Customer('Fay Files');
  await fay.say('please send me the form');
  const { id } = await fay.conversation();
  const page = await enter(`/inbox/${id}`);
  await page.locator('input[type=file]').setInputFiles({ name: 'form.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF') });
  await page.locator('.att', { hasText: 'form.pdf' }).getByText('ready').waitFor();
  await field(page).evaluate((el) => {
    const clipboard = new DataTransfer();
    const png = Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='), (c) => c.charCodeAt(0));
    clipboard.items.add(new File([png], 'shot.png', { type: 'image/png' }));
    el.dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboard, bubbles: true, cancelable: true }));
  });
  await page.locator('.att', { hasText: 'shot.png' }).getByText('ready').waitFor();
  await page.getByRole('button', { name: 'Remove shot.png' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.m.out', { hasText: 'form.pdf' }).locator('.st.read').waitFor();
});

test('taking, passing on, closing, reopening, snoozing, tags and priority are done where one looks', async () => {
  const cy = new Customer('Cy Actions');
  await cy.say('hello');
  const { id } = await cy.conversation();
  const agent = await call<{ agent_id: string }>('POST', '/v1/users', { name: 'Lukas Kessler', email: `lukas-${Date.now()}@demo.example`, password: 'correct-horse-1', role: 'agent' });
  await call('POST', '/v1/queues', { name: 'Shipping', agent_ids: [agent.agent_id] });
  const page = await enter(`/inbox/${id}`);
  const now = () => call<{ status: string; assignee: { id: string } | null; queue_id: string | null; tags: string[]; priority: string }>('GET', `/v1/conversations/${id}`);
  const log = page.getByRole('log');

  await page.getByRole('button', { name: 'Take it' }).click();
  await log.getByText('Assigned to Owner by Owner').waitFor();
  await page.getByRole('button', { name: /^Assign or transfer/ }).click();
  await page.getByRole('menuitemradio', { name: /Lukas Kessler/ }).click();
  await log.getByText('Assigned to Lukas Kessler by Owner').waitFor();
  expect((await now()).assignee?.id).toBe(agent.agent_id);

  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: /Priority/ }).click();
  await page.getByRole('menuitemradio', { name: 'Urgent' }).click();
  await log.getByText(/Priority set to urgent/).waitFor();
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByLabel('New tag').fill('damaged');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove the tag damaged' }).waitFor();
  expect(await now()).toMatchObject({ tags: ['damaged'], priority: 'urgent' });

  await page.getByRole('button', { name: 'Snooze', exact: true }).click();
  await page.getByRole('menuitem', { name: /In 1 hour/ }).click();
  await page.getByRole('button', { name: 'Unsnooze' }).click();
  await page.getByRole('button', { name: 'Snooze', exact: true }).waitFor();

  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByText('This conversation is closed.').waitFor();
  expect((await now()).status).toBe('closed');
  await page.getByRole('button', { name: 'Undo' }).click();
  await field(page).waitFor();
  expect((await now()).status).toBe('open');

  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Routing, explained' }).click();
  await page.getByRole('dialog', { name: 'Routing, explained' }).waitFor();
  await page.keyboard.press('Escape');
});

test('what is known of a person is changed beside the talk', async () => {
  const di = new Customer('Di Contact');
  await di.say('hi');
  const { id, contact } = await di.conversation();
  const page = await enter(`/inbox/${id}`);
  const pane = page.getByRole('complementary', { name: 'Contact details' });
  await pane.getByLabel('Email').fill('di@shop.example');
  await page.keyboard.press('Enter');
  await pane.getByText('saved', { exact: true }).waitFor();
  await pane.getByLabel('Name').fill('Diana Contact');
  await page.keyboard.press('Enter');
  await page.locator('.crow', { hasText: 'Diana Contact' }).waitFor();
  expect(await call('GET', `/v1/contacts/${contact.id}`)).toMatchObject({ name: 'Diana Contact', email: 'di@shop.example' });
});

test('a long history is read in windows, and the list keeps its place', async () => {
  const old = new Customer('Old Friend');
  for (let n = 1; n <= 120; n += 1) await old.say(`message ${n}.`);
  const { id } = await old.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'message 120.').waitFor();
  expect(await page.locator('.m').count()).toBeLessThanOrEqual(50);
  const top = said(page, 'message 72.');
  await page.getByRole('button', { name: 'Load older dialogs' }).scrollIntoViewIfNeeded();
  const before = await top.boundingBox();
  await page.getByRole('button', { name: 'Load older dialogs' }).click();
  await said(page, 'message 40.').waitFor();
  const after = await top.boundingBox();
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 1e6))).toBeLessThan(60);
});

test('keys move through the list and do what their letters say', async () => {
  const eve = new Customer('Eve Keys');
  await eve.say('first');
  const { id } = await eve.conversation();
  const page = await enter('/inbox');
  await page.locator('.crow', { hasText: 'Eve Keys' }).waitFor();
  await page.keyboard.press('j');
  await page.waitForURL('**/inbox/cnv_*');
  await page.goto(`/inbox/${id}`);
  await said(page, 'first').waitFor();
  await page.keyboard.press('n');
  await page.locator('.cmp.isnote textarea:focus').waitFor();
  await page.keyboard.type('jeks');
  expect(await field(page).inputValue()).toBe('jeks');
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await page.getByRole('menu', { name: 'Assign' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('menu', { name: 'Assign' }).waitFor({ state: 'detached' });
  // The menu gives the focus back in its own time, which is after it has gone.
  await expect.poll(async () => (await page.keyboard.press(']'), page.locator('.m:focus', { hasText: 'first' }).count()), { timeout: 60_000 }).toBe(1);
  await page.keyboard.press('e');
  await page.getByText('Closed Eve Keys.').waitFor();
});

test('what failed says why in the channel’s words, and what is unknown is explained; both have their ways on', async () => {
  const una = new Customer('Una Unknown');
  await una.say('hi');
  const { id } = await una.conversation();
  const page = await enter(`/inbox/${id}`);
  const script = (s: object) => call('PUT', '/simulator/script', { type: 'whatsapp', ...s });
  try {
    await script({ receipts: { mode: 'auto', fail_with: 131026 } });
    await field(page).fill('this one fails');
    await page.getByRole('button', { name: 'Send' }).click();
    const failed = said(page, 'this one fails');
    await failed.locator('.st.failed').waitFor();
    await failed.getByText(/Message undeliverable \(131026\)\./).waitFor();
    await script({ lose_answer: { times: 1 }, receipts: { mode: 'off' } });
    await field(page).fill('is it there?');
    await page.getByRole('button', { name: 'Send' }).click();
    const unknown = said(page, 'is it there?');
    await unknown.getByText('The line broke before Demo whatsapp answered.', { exact: false }).waitFor();
    await script({});
    await unknown.getByRole('button', { name: 'What was sent' }).click();
    await page.getByRole('dialog', { name: 'Delivery attempts' }).getByText('Attempt 1: Unknown').waitFor();
    await page.keyboard.press('Escape');
    await unknown.getByRole('button', { name: 'Send again' }).click();
    await unknown.locator('.st.read').waitFor();
    await page.mouse.move(0, 0); // the card of a message below the pointer covers what is above it
    await failed.getByRole('button', { name: 'Try again' }).click();
    await failed.locator('.st.read').waitFor();
  } finally {
    await script({});
  }
});

test('the row of the open conversation is seen as such, and moves with it', async () => {
  const [one, two] = [new Customer('Row One'), new Customer('Row Two')];
  for (const c of [one, two]) {
    await c.say('hi');
    await c.conversation();
  }
  const page = await enter('/inbox?view=unassigned');
  const row = (name: string) => page.locator('.crow', { hasText: name });
  for (const name of ['Row One', 'Row Two']) {
    await row(name).click();
    await page.locator('.crow[aria-current="page"]', { hasText: name }).waitFor();
    expect(await page.locator('.crow[aria-current]').count()).toBe(1);
  }
  const ground = (name: string) => row(name).evaluate((el) => getComputedStyle(el).backgroundColor);
  expect(await ground('Row Two')).not.toBe(await ground('Row One'));
});

test('the palette finds commands of the conversation, views, channels and people, and does what is chosen', async () => {
  const pia = new Customer('Pia Palette');
  await pia.say('hi');
  const { id } = await pia.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hi').waitFor();
  await field(page).fill('half a sent');
  const choose = async (typed: string, name: string | RegExp) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'What do you want to do?' }).fill(typed);
    await page.getByRole('option', { name, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor({ state: 'detached' });
  };
  await choose('urgent', 'Priority: Urgent');
  await page.getByRole('log').getByText(/Priority set to urgent/).waitFor();
  await choose('assign', /^Assign or transfer/);
  await page.getByRole('menu', { name: 'Assign' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('menu', { name: 'Assign' }).waitFor({ state: 'detached' });
  await choose('resolved', 'Resolved');
  await page.waitForURL('**/inbox?view=resolved');
  await choose('demo whats', 'Demo whatsapp');
  await page.waitForURL('**/inbox?channel_id=*');
  await page.locator('.crow', { hasText: 'Pia Palette' }).waitFor();
  await choose('pia', 'Pia Palette');
  await page.waitForURL(`**/inbox/${id}`);
  expect(await field(page).inputValue()).toBe('half a sent');
  await choose('sign out', 'Sign out');
  await page.waitForURL('**/signin');
});

test('a person is found by number, and their talk opened', async () => {
  const sue = new Customer('Sue Search');
  await sue.say('find me');
  await sue.conversation();
  const page = await enter('/inbox');
  await page.keyboard.press('/');
  await page.getByLabel('Phone number or email').fill(sue.from.replace(/(\d{4})/g, '$1 '));
  await page.getByRole('search').getByRole('link', { name: /Sue Search/ }).click();
  await said(page, 'find me').waitFor();
});

test('screen readers hear what comes in, and not the history; Tab stops once at the messages', async () => {
  const aya = new Customer('Aya Aloud');
  for (let n = 1; n <= 60; n += 1) await aya.say(`history ${n}.`);
  const { id } = await aya.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'history 60.').waitFor();
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const box = document.querySelector('.tlbox');
    if (box) new MutationObserver(() => heard.push(document.querySelector('.tlbox > [role=status]')?.textContent ?? '')).observe(box, { subtree: true, childList: true, characterData: true });
  });
  await page.getByRole('button', { name: 'Load older dialogs' }).click();
  await said(page, 'history 1.').waitFor();
  await aya.say('something new');
  await page.locator('.tlbox > [role=status]', { hasText: 'Aya Aloud: something new' }).waitFor({ state: 'attached' });
  expect(new Set((await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).filter(Boolean))).toEqual(new Set(['Aya Aloud: something new']));
  expect(await page.locator('.m[tabindex="0"]').count()).toBe(1);
  await page.locator('.m[tabindex="0"]').focus();
  await page.keyboard.press('ArrowUp');
  await page.locator('.m:focus', { hasText: 'history 60.' }).waitFor();
  expect(await page.locator('.m[tabindex="0"]').count()).toBe(1);
});
