import { expect, test } from 'vitest';
import { Customer, demo, enter, field, problem, said, signIn, visit } from './world';

test('a session is a cookie that no script can read, and ends with the sign-out', async () => {
  const page = await visit('/');
  await page.waitForURL('**/signin?to=%2Finbox');
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  expect(await page.getByText('Your session has ended.').count()).toBe(0);
  await signIn(page, { email: demo.email, password: 'wrong' });
  await page.getByRole('alert').getByText('Email or password is wrong.').waitFor();
  await signIn(page);
  await page.waitForURL('**/inbox');
  const cookies = await page.context().cookies();
  expect(cookies.map((c) => [c.httpOnly, c.sameSite])).toEqual([[true, 'Strict']]);
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(demo.password);
  await page.getByRole('navigation').getByRole('button', { name: /^Owner/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/signin');
  expect(await page.context().cookies()).toEqual([]);
  await page.goto('/inbox');
  await page.waitForURL('**/signin?*');
});

test('a session that ends in the middle takes nothing that was typed, and leads back to the place', async () => {
  const ann = new Customer('Ann Expired');
  await ann.say('before the end');
  const { id } = await ann.conversation();
  const page = await enter(`/inbox/${id}?view=unassigned`);
  await said(page, 'before the end').waitFor();
  await field(page).fill('half an answ');
  await page.context().clearCookies();
  await field(page).fill('half an answer');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Your session has ended.').waitFor();
  await signIn(page);
  await page.waitForURL(`**/inbox/${id}?view=unassigned`);
  await said(page, 'half an answer').locator('.st').waitFor();
  expect(await said(page, 'half an answer').count()).toBe(1);
});

test('a server that is away, and one that has enough, are named as what they are', async () => {
  const page = await visit('/signin');
  await page.route('**/v1/auth/login', (r) => r.fulfill(problem(503, 'unavailable')), { times: 1 });
  await signIn(page);
  await page.getByRole('alert').getByText('A part of the server is away.').waitFor();
  await page.route('**/v1/auth/login', (r) => r.fulfill(problem(429, 'rate_limited')), { times: 1 });
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').getByText('Too many requests at once.').waitFor();
  expect(await page.getByLabel('Email').inputValue()).toBe(demo.email);
});
