import { expect, test } from 'vitest';
import { call, Customer, enter, field, problem, said } from './world';

const nasty = [
  '<img src=x onerror="window.ran=1"><script>window.ran=1</script>',
  'javascript:window.ran=1 and [click](javascript:window.ran=1)',
  'see https://good.example@evil.example/path.',
  'invoice\u202Egpj.exe',
  '"><svg onload=window.ran=1>',
];

test('nothing of what customers write runs, leads astray, or turns the page around', async () => {
  const eve = new Customer('<b onclick="window.ran=1">Eve</b>\u202E');
  for (const text of nasty) await eve.say(text);
  const { id } = await eve.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'svg onload').waitFor();
  expect(await page.locator('.m img, .m script, .m svg[onload], .m b[onclick]').count()).toBe(0);
  await page.getByText('⟦U+202E⟧').first().waitFor();
  const links = await page.locator('.m .txt a').evaluateAll((all) => all.map((a) => [a.getAttribute('href'), a.getAttribute('title'), a.getAttribute('rel')]));
  expect(links).toEqual([['https://good.example@evil.example/path', 'Leads to evil.example', 'noopener noreferrer nofollow']]);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});

test('4,000 characters are folded, and a name of 256 moves nothing', async () => {
  const long = new Customer('W'.repeat(256));
  await long.say('Lorem ipsum. '.repeat(310).trim());
  const { id } = await long.conversation();
  const page = await enter(`/inbox/${id}`);
  await page.getByRole('button', { name: /Show all 4,0\d\d characters/ }).click();
  await page.getByRole('button', { name: 'Show less' }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
});

test('a text of 60,000 characters is refused before it is sent, in words, and stays', async () => {
  const lim = new Customer('Lim Limits');
  await lim.say('tell me everything');
  const { id } = await lim.conversation();
  const page = await enter(`/inbox/${id}`);
  await field(page).fill('x'.repeat(60_000));
  await page.locator('#wrong .hint').first().waitFor();
  expect(await page.getByRole('button', { name: 'Send' }).getAttribute('aria-disabled')).toBe('true');
  await page.getByText(/60,000 \//).waitFor();
  expect((await field(page).inputValue()).length).toBe(60_000);
});

test.each([
  [403, 'forbidden', 'Your role does not allow this'],
  [404, 'not_found', 'This is gone'],
  [409, 'held_by_another', 'Somebody else holds this conversation'],
  [429, 'rate_limited', 'Too many requests at once'],
  [503, 'unavailable', 'A part of the server is away'],
  [500, 'internal', 'Something went wrong on the server'],
])('an action that is answered with %d says why, and can be tried again', async (status, code, words) => {
  const ron = new Customer(`Ron ${code}`);
  await ron.say('hi');
  const { id } = await ron.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hi').waitFor();
  await field(page).fill('kept');
  await page.route('**/take', (r) => r.fulfill(problem(status, code)), { times: 1 });
  await page.getByRole('button', { name: 'Take it' }).click();
  await page.getByRole('alert').getByText(words).waitFor();
  expect(await field(page).inputValue()).toBe('kept');
  await page.getByRole('button', { name: 'Take it' }).click();
  await page.getByText('Assigned to Owner by Owner').waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
});

test('what was changed meanwhile is shown, and asked about once', async () => {
  const mia = new Customer('Mia Meanwhile');
  await mia.say('hi');
  const { id } = await mia.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hi').waitFor();
  await page.route('**/close', (r) => r.fulfill(problem(412, 'version_mismatch')), { times: 1 });
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const box = page.getByRole('alert');
  await box.getByText(/It is now: open, held by nobody/).waitFor();
  await box.getByRole('button', { name: 'Close all the same' }).click();
  await page.getByText('This conversation is closed.').waitFor();
});

test('a message that is refused keeps its text, and has ways on', async () => {
  const kim = new Customer('Kim Kept');
  await kim.say('hi');
  const { id } = await kim.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hi').waitFor();
  await page.route('**/messages', (r) => (r.request().method() === 'POST' ? r.fulfill(problem(409, 'recipient_blocked', { detail: 'the contact is blocked' })) : r.continue()), { times: 1 });
  await field(page).fill('a careful answer');
  await page.getByRole('button', { name: 'Send' }).click();
  const mine = said(page, 'a careful answer');
  await mine.getByText('The contact is blocked.').waitFor();
  await mine.getByRole('button', { name: 'Save as note' }).waitFor();
  await mine.getByRole('button', { name: 'Edit' }).click();
  expect(await field(page).inputValue()).toBe('a careful answer');
  await page.getByRole('button', { name: 'Send' }).click();
  await mine.locator('.st.read').waitFor();
});

test('a part that does not answer says so, and the rest works', async () => {
  const page = await enter('/inbox');
  await page.route('**/v1/conversations?*', (r) => r.fulfill(problem(500, 'internal')));
  await page.goto('/inbox?view=snoozed');
  await page.getByText('This part is not answering').waitFor();
  await page.unroute('**/v1/conversations?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('Nothing waits here').waitFor();
});

test('files that lie are named as what they are, and shown as nothing else', async () => {
  const lia = new Customer('Lia Liar');
  await lia.say('a file please');
  const { id } = await lia.conversation();
  const page = await enter(`/inbox/${id}`);
  const html = '<html><body><script>window.ran=1</script></body></html>';
  await page.locator('input[type=file]').setInputFiles([
    { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF') },
    { name: '<img src=x onerror="window.ran=1">\u202Egpj.exe', mimeType: 'image/png', buffer: Buffer.from(html) },
  ]);
  await page.locator('.att', { hasText: 'photo.jpg' }).getByText('It is application/pdf, whatever its name says.').waitFor();
  await page.locator('.att', { hasText: 'onerror' }).getByText(/It is text\/.*, whatever its name says/).waitFor();
  expect(await page.locator('.att img').count()).toBe(0);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('.m.out', { hasText: 'photo.jpg' }).locator('.st.read').waitFor();
  expect(await page.locator('.m.out img').count()).toBe(0);
  const { data } = await call<{ data: { attachments: { id: string; mime: string }[] }[] }>('GET', `/v1/conversations/${id}/messages`);
  for (const a of data.at(-1)?.attachments ?? []) {
    const served = await page.request.get(`/v1/attachments/${a.id}`);
    expect([a.mime, served.headers()['content-disposition']?.split(';')[0] ?? 'inline', served.headers()['x-content-type-options']]).toEqual([a.mime, a.mime.startsWith('text/') ? 'attachment' : expect.any(String), 'nosniff']);
  }
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});
