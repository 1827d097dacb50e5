import { expect, test } from 'vitest';
import { start, stop } from './process';
import { call, Customer, enter, field, running, said, signIn, visit } from './world';

test('a cut: what is written leaves once, what came in is there, nothing is loaded anew', async () => {
  const ned = new Customer('Ned Network');
  await ned.say('are you there?');
  const { id } = await ned.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'are you there?').waitFor();
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await page.context().setOffline(true);
  await field(page).fill('yes, one moment');
  await page.getByRole('button', { name: 'Send' }).click();
  await said(page, 'yes, one moment').getByText('waiting for the network').waitFor();
  await field(page).fill('and another th');
  await ned.say('hello?');
  await page.context().setOffline(false);
  await said(page, 'hello?').waitFor();
  await said(page, 'yes, one moment').locator('.st.read').waitFor();
  expect(await field(page).inputValue()).toBe('and another th');
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
  const { data } = await call<{ data: { text?: string }[] }>('GET', `/v1/conversations/${id}/messages`);
  expect(data.filter((m) => m.text === 'yes, one moment')).toHaveLength(1);
});

test('two people see what the other does, and that the other is typing', async () => {
  const cust = new Customer('Tia Together');
  await cust.say('hi');
  const { id } = await cust.conversation();
  const email = `tess-${Date.now()}@demo.example`;
  await call('POST', '/v1/users', { name: 'Tess Second', email, password: 'correct-horse-1', role: 'supervisor' });
  const a = await enter(`/inbox/${id}`);
  const b = await visit(`/inbox/${id}`);
  await signIn(b, { email, password: 'correct-horse-1' });
  await said(b, 'hi').waitFor();
  await field(b).pressSequentially('I take this');
  await a.getByRole('log').getByText('Tess Second is replying').waitFor();
  await b.getByRole('button', { name: 'Send' }).click();
  await said(a, 'I take this').waitFor();
  await a.getByRole('button', { name: 'Assign or transfer, held by Tess Second' }).waitFor();
});

test('a restart of the server is caught up with, and what is typed stays', async () => {
  const rob = new Customer('Rob Restart');
  await rob.say('before');
  const { id } = await rob.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'before').waitFor();
  await field(page).fill('typed before the restart');
  await stop(running, 'SIGKILL');
  await page.getByText('Reconnecting…').waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  await said(page, 'typed before the restart').getByText(/waiting/).waitFor();
  await start(running);
  await rob.say('after');
  await said(page, 'after').waitFor();
  await said(page, 'typed before the restart').locator('.st.read').waitFor();
  await page.getByText('Reconnecting…').waitFor({ state: 'detached' });
  expect(await said(page, 'typed before the restart').count()).toBe(1);
});

test('a tab that slept for a day catches up: what came in is there, what was typed stays, and nothing is loaded anew', async () => {
  const sue = new Customer('Sue Sleeper');
  await sue.say('before the night');
  const { id } = await sue.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'before the night').waitFor();
  await field(page).fill('typed before the night');
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  await field(page).fill('and a note');
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  // The stream is cut, and not let through again until the morning. Then it asks for what is behind a position that the server does not
  // have any more.
  let asleep = true;
  const asked: string[] = [];
  await page.route('**/v1/events?after=*', (r) => {
    if (asleep) return r.abort();
    asked.push(r.request().url());
    return asked.length === 1 ? r.continue({ url: `${running.url}/v1/events?after=7777%3A1` }) : r.continue();
  });
  await stop(running, 'SIGKILL');
  await start(running);
  await page.getByText('Reconnecting…').waitFor();
  for (let n = 1; n <= 70; n += 1) await sue.say(`by night ${n}.`);
  const tom = new Customer('Tom Tonight');
  await tom.say('new since yesterday');
  await tom.conversation();
  await call('POST', `/v1/conversations/${id}/tags`, { tags: ['night'] });
  asleep = false;
  await page.getByText('Caught up.').waitFor();
  await said(page, 'by night 70.').waitFor();
  await page.locator('.crow', { hasText: 'Tom Tonight' }).waitFor();
  await page.getByRole('button', { name: 'Remove the tag night' }).waitFor();
  expect(await field(page).inputValue()).toBe('and a note');
  await page.getByRole('button', { name: 'Reply', exact: true }).click();
  expect(await field(page).inputValue()).toBe('typed before the night');
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
  expect(asked.length).toBeGreaterThan(0);
  // From there on it is live again.
  await sue.say('good morning');
  await said(page, 'good morning').waitFor();
});

test('a page that is older than the server loads itself anew where it has to, with what was typed', async () => {
  const ova = new Customer('Ova Outdated');
  await ova.say('hi');
  const { id } = await ova.conversation();
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hi').waitFor();
  await field(page).fill('typed in the old page');
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await page.route('**/assets/KeysDialog-*.js', (r) => r.fulfill({ status: 404 }), { times: 1 });
  await field(page).press('Escape');
  await page.keyboard.press('?');
  await page.waitForFunction(() => !('sameDocument' in window));
  await said(page, 'hi').waitFor();
  expect(await field(page).inputValue()).toBe('typed in the old page');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
});
