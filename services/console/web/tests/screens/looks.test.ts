import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { call, Customer, enter, field, said, visit } from './world';

let id = '';

beforeAll(async () => {
  const ada = new Customer('Ada Looks');
  await ada.say('Could you look at https://example.com/order/1 for me?');
  id = (await ada.conversation()).id;
  await call('POST', `/v1/conversations/${id}/messages`, { text: 'We do that.' });
  await call('POST', `/v1/conversations/${id}/messages`, { direction: 'note', text: 'She asked before.' });
  await call('POST', `/v1/conversations/${id}/tags`, { tags: ['vip'] });
});

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary ?? ''}`));
}

test.each(['light', 'dark'] as const)('axe finds nothing serious in the %s theme', async (colorScheme) => {
  const out = await visit('/signin', { colorScheme, reducedMotion: 'reduce' });
  await out.getByRole('heading', { name: 'Sign in to Tributary' }).waitFor();
  expect(await serious(out), 'sign-in').toEqual([]);
  const page = await enter(`/inbox/${id}`, { colorScheme, reducedMotion: 'reduce' });
  await said(page, 'We do that.').locator('.st.read').waitFor();
  expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe(colorScheme);
  expect(await serious(page), 'conversation').toEqual([]);
  await said(page, 'We do that.').hover();
  await page.locator('.meta').waitFor();
  expect(await serious(page), 'card of a message').toEqual([]);
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  await field(page).fill('a note');
  expect(await serious(page), 'note').toEqual([]);
  await page.locator('.vsel').click();
  await page.getByRole('menuitemradio', { name: /Unassigned/ }).waitFor();
  expect(await serious(page), 'views').toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Routing, explained' }).click();
  await page.getByRole('dialog').waitFor();
  expect(await serious(page), 'dialog').toEqual([]);
});

test.each([
  [390, 844, 'ltr'],
  [390, 844, 'rtl'],
  [1024, 768, 'ltr'],
  [1440, 900, 'rtl'],
  [720, 450, 'ltr'],
  [320, 640, 'ltr'],
])('at %d by %d, %s, everything is there and nothing scrolls sideways', async (width, height, dir) => {
  const page = await enter('/inbox', { viewport: { width, height } });
  await page.evaluate((d) => (document.documentElement.dir = d), dir);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth && document.body.scrollWidth <= document.documentElement.clientWidth);
  await page.locator('.crow', { hasText: 'Ada Looks' }).waitFor();
  expect(await fits()).toBe(true);
  await page.locator('.crow', { hasText: 'Ada Looks' }).click();
  await said(page, 'We do that.').waitFor();
  await field(page).waitFor();
  expect(await fits()).toBe(true);
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Contact details' }).click();
  await page.getByRole('complementary', { name: 'Contact details' }).getByText('Reachable on').waitFor();
  expect(await fits()).toBe(true);
  if (width <= 1180) await page.getByRole('button', { name: 'Close the contact details' }).click();
  if (width <= 760) {
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await page.locator('.crow', { hasText: 'Ada Looks' }).waitFor();
  }
});

test('nothing moves for those who do not want it', async () => {
  const page = await enter(`/inbox/${id}`, { reducedMotion: 'reduce' });
  await said(page, 'We do that.').waitFor();
  const moving = await page.evaluate(() => document.getAnimations().filter((a) => Number(a.effect?.getComputedTiming().duration) > 0).length);
  expect(moving).toBe(0);
});
