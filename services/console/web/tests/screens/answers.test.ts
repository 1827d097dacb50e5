import { expect, test } from 'vitest';
import { call, Customer, enter, field, patient, said } from './world';

interface Message {
  id: string;
  text?: string;
  direction: string;
  type: string;
  deleted_at: string | null;
  edited_at: string | null;
  location?: { latitude: number; name?: string };
  interactive?: { kind: string; buttons?: { title: string }[]; sections?: { rows: { title: string }[] }[] };
  template?: { name: string; components: unknown[] };
  attachments: unknown[];
}

const last = async (id: string) => (await call<{ data: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=50`)).data.at(-1);
// WhatsApp takes pictures as JPEG and PNG.
const gif = { name: 'wave.gif', mimeType: 'image/gif', buffer: Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64') };

test('where the window is closed the reason stands, and a template goes out; what was typed stays', async () => {
  const wil = new Customer('Wil Window');
  await wil.say('that was long ago', { at: new Date(Date.now() - 25 * 3_600_000).toISOString() });
  const { id } = await wil.conversation();
  const page = await enter(`/inbox/${id}`);
  await page.getByText('The window of this channel is closed.').waitFor();
  await page.getByText('The customer has not written for too long.').waitFor();
  expect(await field(page).count()).toBe(0);
  await page.getByRole('button', { name: 'Use a template' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name of the template').fill('order_ready');
  await form.getByText('The template needs its name and its language.').waitFor();
  await form.getByLabel('Language').fill('en');
  await form.getByLabel('Values of the text').fill('Wil\nTRB-7');
  await form.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Template order_ready' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('.m.out', { hasText: 'order_ready' }).locator('.st.read').waitFor();
  expect(await last(id)).toMatchObject({ type: 'template', template: { name: 'order_ready', components: [{ type: 'body', parameters: [{ text: 'Wil' }, { text: 'TRB-7' }] }] } });
});

test('a place, buttons and a list are filled in beside the text, and go out with it', async () => {
  const kay = new Customer('Kay Kinds');
  await kay.say('where are you?');
  const { id } = await kay.conversation();
  const page = await enter(`/inbox/${id}`);
  const form = page.getByRole('dialog');
  const kind = async (name: string) => {
    await page.getByRole('button', { name: 'Other kinds of message' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    await form.waitFor();
  };
  const send = async (shown: string) => {
    await form.getByRole('button', { name: 'Done' }).click();
    await page.locator('.tools button[aria-disabled=false]', { hasText: 'Send' }).click();
    await page.locator('.m.out', { hasText: shown }).locator('.st.read').waitFor();
  };
  await kind('Place');
  await form.getByLabel('Latitude').fill('52.52');
  await form.getByLabel('Longitude').fill('13.405');
  await form.getByLabel('Name').fill('Shop Mitte');
  await send('Shop Mitte');
  expect((await last(id))?.location).toMatchObject({ latitude: 52.52, name: 'Shop Mitte' });

  await field(page).fill('Shall we deliver?');
  await kind('Buttons');
  await form.getByLabel('Title of choice 1').fill('Yes');
  await form.getByRole('button', { name: 'Another choice' }).click();
  await form.getByText('A choice of kind "reply" needs title').waitFor();
  await form.getByLabel('Title of choice 2').fill('No');
  await send('Shall we deliver?');
  expect((await last(id))?.interactive).toMatchObject({ kind: 'buttons', buttons: [{ title: 'Yes' }, { title: 'No' }] });
  expect(await page.locator('.m.out', { hasText: 'Shall we deliver?' }).locator('.tmplb > span').allTextContents()).toEqual(['Yes', 'No']);

  await kind('List to choose from');
  await form.getByLabel('Text', { exact: true }).fill('Which size?');
  await form.getByLabel('Words on the button').fill('Sizes');
  await form.getByLabel('Title of choice 1').fill('Small');
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
  await page.reload(); // what is half filled in outlives a reload
  await page.getByRole('button', { name: 'List to choose from: Small' }).click();
  await send('Which size?');
  expect((await last(id))?.interactive).toMatchObject({ kind: 'list', sections: [{ rows: [{ title: 'Small' }] }] });
});

test('a suggestion calls a number, shows a place or goes to the calendar, and what is wrong with one stands at its field', async () => {
  const sue = new Customer('Sue Suggestions', 'rcs');
  await sue.say('when can I come?');
  const { id } = await sue.conversation();
  const page = await enter(`/inbox/${id}`);
  const form = page.getByRole('dialog');
  await field(page).fill('Choose one');
  await page.getByRole('button', { name: 'Other kinds of message' }).click();
  await page.getByRole('menuitem', { name: 'Buttons', exact: true }).click();
  await form.getByLabel('Title of choice 1').fill('Call us');
  await form.getByLabel('What choice 1 does').selectOption('dial');
  const number = form.getByLabel('Number of choice 1');
  await number.fill('030 12345');
  await form.locator('.field', { has: page.getByLabel('Number of choice 1') }).getByText(/phone number with \+/).waitFor();
  expect(await number.getAttribute('aria-invalid')).toBe('true');
  await number.fill('+49 30 12345');
  await form.getByRole('button', { name: 'Another choice' }).click();
  await form.getByLabel('Title of choice 2').fill('Our shop');
  await form.getByLabel('What choice 2 does').selectOption('location');
  await form.getByText('The place needs its latitude and longitude.').waitFor();
  await form.getByLabel('Latitude').fill('52.52');
  await form.getByLabel('Longitude').fill('13.405');
  await form.getByLabel('Name', { exact: true }).fill('Shop Mitte');
  await form.getByRole('button', { name: 'Another choice' }).click();
  await form.getByLabel('Title of choice 3').fill('Save the date');
  await form.getByLabel('What choice 3 does').selectOption('calendar');
  await form.getByText('The calendar entry needs its title, its start and its end.').waitFor();
  await form.getByLabel('Title of the entry').fill('Fitting');
  await form.getByLabel('Start').fill('2030-12-03T09:00');
  const end = form.getByLabel('End', { exact: true });
  await end.fill('2030-12-03T08:00');
  await form.locator('.field', { has: page.getByLabel('End', { exact: true }) }).getByText('Want a time after the start.').waitFor();
  await end.fill('2030-12-03T10:00');
  await form.getByRole('button', { name: 'Another choice' }).click();
  await form.getByLabel('Title of choice 4').fill('Yes');
  expect(await form.getByRole('button', { name: 'Another choice' }).count()).toBe(0); // a card has four
  await form.getByRole('button', { name: 'Done' }).click();
  await page.locator('.tools button[aria-disabled=false]', { hasText: 'Send' }).click();
  const sent = page.locator('.m.out', { hasText: 'Choose one' });
  await sent.locator('.st.read').waitFor();
  expect((await last(id))?.interactive?.buttons).toMatchObject([
    { kind: 'dial', title: 'Call us', phone: '+493012345' },
    { kind: 'location', location: { latitude: 52.52, name: 'Shop Mitte' } },
    { kind: 'calendar', event: { title: 'Fitting' } },
    { kind: 'reply', title: 'Yes' },
  ]);
  for (const words of ['+493012345', 'Shop Mitte', /^Fitting, /]) await sent.locator('.tmplb').getByText(words).waitFor();
});

test('a file that the channel does not take goes as a link, if one says so', async () => {
  const lin = new Customer('Lin Link');
  await lin.say('send me the form');
  const { id } = await lin.conversation();
  const page = await enter(`/inbox/${id}`);
  await page.locator('input[type=file]').setInputFiles(gif);
  await page.locator('#wrong').getByText(/WhatsApp takes image only as image\/jpeg, image\/png/).waitFor();
  expect(await page.getByRole('button', { name: 'Send', exact: true }).getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('button', { name: 'Send as a link' }).click();
  await page.getByText('Files that Demo whatsapp does not take go as links.').waitFor();
  await page.locator('.tools button[aria-disabled=false]', { hasText: 'Send' }).click();
  await page.locator('.m.out .st.sent, .m.out .st.accepted, .m.out .st.read').waitFor();
  expect(await last(id)).toMatchObject({ as_link: true });
});

test('a message of ours is edited and taken back where the channel can, and nothing of that is offered where it cannot', async () => {
  const ted = new Customer('Ted Telegram', 'telegram');
  await ted.say('hello');
  const { id } = await ted.conversation();
  const page = await enter(`/inbox/${id}`);
  await field(page).fill('We come at nine');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const mine = said(page, 'We come at');
  await mine.locator('.st.sent').waitFor();
  const menu = async (name: string) => {
    await mine.hover();
    await mine.getByRole('button', { name: 'What can be done with it' }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  await menu('Edit…');
  const form = page.getByRole('dialog', { name: 'Edit the message' });
  await form.getByLabel('Text').fill('We come at ten');
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
  await menu('Edit…');
  expect(await form.getByLabel('Text').inputValue()).toBe('We come at ten');
  await page.keyboard.press('Control+Enter');
  await said(page, 'We come at ten').getByText('edited').waitFor();
  await page.getByRole('log').getByText('Message changed by Owner').waitFor();
  expect((await last(id))?.text).toBe('We come at ten');
  await menu('Take back…');
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText('This message was taken back.').waitFor();
  expect((await last(id))?.deleted_at).toBeTruthy();

  const wes = new Customer('Wes Whatsapp');
  await wes.say('hello');
  const other = await wes.conversation();
  await call('POST', `/v1/conversations/${other.id}/messages`, { text: 'stays as it is' });
  await page.goto(`/inbox/${other.id}`);
  await said(page, 'stays as it is').locator('.st.read').waitFor();
  await said(page, 'stays as it is').hover();
  await said(page, 'stays as it is').getByRole('button', { name: 'Reply to this' }).waitFor();
  expect(await said(page, 'stays as it is').getByRole('button', { name: 'What can be done with it' }).count()).toBe(0);
});

test('a quote is offered only where the channel has such', async () => {
  const wei = new Customer('Wei Wechat', 'wechat');
  await wei.say('hello');
  const { id } = await wei.conversation();
  const page = await enter(`/inbox/${id}`);
  await page.getByRole('button', { name: 'Other kinds of message' }).waitFor(); // what the channel takes is known
  await said(page, 'hello').hover();
  await page.locator('.meta').waitFor();
  expect(await page.getByRole('button', { name: 'Reply to this' }).count()).toBe(0);
});

test('a reaction goes to the message that it is about', async () => {
  const rae = new Customer('Rae Reacts');
  await rae.say('it arrived');
  const { id } = await rae.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'it arrived').hover();
  await said(page, 'it arrived').getByRole('button', { name: 'What can be done with it' }).click();
  await page.getByRole('menuitem', { name: 'React with 👍' }).click();
  await page.locator('.m.out', { hasText: '👍' }).locator('.st.sent, .st.read, .st.delivered').waitFor();
  expect((await last(id))?.type).toBe('reaction');
});

test('a comment is answered in public and in private, hidden and shown again', async () => {
  const cam = new Customer('Cam Comment', 'facebook', '330011224455');
  await cam.say('how much is it?');
  const { id } = await cam.conversation();
  const page = await enter(`/inbox/${id}?kind=comments`);
  const comment = said(page, 'how much is it?');
  await page.getByText('Everybody reads this under the post').waitFor();
  expect(await page.getByRole('link', { name: 'Open the post' }).getAttribute('title')).toBe('Leads to www.facebook.example');
  expect(await page.getByRole('button', { name: 'Other kinds of message' }).count()).toBe(0);
  await field(page).fill('It is in the shop');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await page.locator('.m.out', { hasText: 'It is in the shop' }).locator('.st.sent, .st.accepted').waitFor();
  const menu = async (name: string) => {
    await comment.hover();
    await comment.getByRole('button', { name: 'What can be done with it' }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  await menu('Hide from the public');
  await comment.getByText('hidden', { exact: true }).waitFor();
  await page.getByRole('log').getByText('Comment hidden by Owner').waitFor();
  await menu('Show to the public again');
  await comment.getByText('hidden', { exact: true }).waitFor({ state: 'detached' });
  await menu('Answer privately…');
  await page.getByRole('dialog').getByLabel('Text').fill('It is 12 euro');
  await page.getByRole('button', { name: 'Send privately' }).click();
  await comment.getByText('It is 12 euro').waitFor();
  await page.getByRole('log').getByText('Comment answered privately by Owner').waitFor();
});

test('a file that is dropped where none can go replaces nothing, and is not uploaded', async () => {
  const dru = new Customer('Dru Drop');
  await dru.say('hi');
  const { id } = await dru.conversation();
  const page = await enter(`/inbox/${id}`);
  const drop = (where: string) =>
    page.locator(where).evaluate((el) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['%PDF-1.4'], 'dropped.pdf', { type: 'application/pdf' }));
      const make = (type: string) => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
      el.dispatchEvent(make('dragover'));
      const drop = make('drop');
      el.dispatchEvent(drop);
      return drop.defaultPrevented;
    });
  await said(page, 'hi').waitFor();
  expect(await drop('[role=log]')).toBe(true);
  await page.locator('.att', { hasText: 'dropped.pdf' }).getByText('ready').waitFor();
  await page.getByRole('button', { name: 'Remove dropped.pdf' }).click();
  const uploads: string[] = [];
  page.on('request', (r) => r.url().endsWith('/v1/attachments') && uploads.push(r.url()));
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  expect(await drop('.cmp')).toBe(true);
  await page.getByRole('button', { name: 'Reply', exact: true }).click();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByText('This conversation is closed.').waitFor();
  expect(await drop('.cmp')).toBe(true);
  expect(await drop('.list')).toBe(true);
  await page.getByRole('button', { name: 'Reopen' }).first().click();
  await field(page).waitFor();
  expect(await page.locator('.att').count()).toBe(0);
  expect(uploads).toEqual([]);
});

test('an emoji is put where the cursor is', async () => {
  const emi = new Customer('Emi Emoji');
  await emi.say('hi');
  const { id } = await emi.conversation();
  const page = await enter(`/inbox/${id}`);
  await field(page).fill('thank you.');
  await field(page).evaluate((el: HTMLTextAreaElement) => el.setSelectionRange(9, 9));
  await page.getByRole('button', { name: 'Emoji', exact: true }).click();
  await page.getByLabel('Search an emoji').fill('thumbs up');
  await page.locator('.ebtn[title="thumbs up"]').click();
  await expect.poll(() => field(page).inputValue(), patient).toMatch(/^thank you👍\uFE0F?\.$/u);
  await field(page).and(page.locator(':focus')).waitFor();
});
