import AxeBuilder from '@axe-core/playwright';
import { expect, test } from 'vitest';
import { call, problem, signIn, visit } from './world';

interface Channel {
  id: string;
  name: string;
  settings: Record<string, unknown>;
}

test('a channel is made from the form of its type, changed, and refused with words at the field', async () => {
  const page = await visit('/channels/new');
  await signIn(page);
  await page.getByLabel('Name').fill('LINE Bangkok');
  await page.getByLabel('Type').selectOption('line');
  await page.getByLabel('Name').fill('LINE Bangkok');
  const secrets = page.locator('input[type=password]');
  await secrets.first().waitFor();
  const destination = page.locator('.sr2', { has: page.locator('input.mono:not([type=password])') }).locator('input').first();
  await destination.fill('not an id');
  await page.getByText('This does not look as it should.').waitFor();
  expect(await page.getByRole('button', { name: 'Create the channel' }).getAttribute('aria-disabled')).toBe('true');
  await destination.fill(`U${'0123456789abcdef'.repeat(2)}`);
  for (const s of await secrets.all()) await s.fill('a-secret-of-line-0123456789');
  await page.getByRole('button', { name: 'Create the channel' }).click();
  await page.getByRole('heading', { name: 'LINE Bangkok' }).waitFor();
  await page.getByText(/\/webhooks\/line\/ch_/).waitFor();
  expect(await page.content()).not.toContain('a-secret-of-line');
  await page.getByText('set', { exact: true }).first().waitFor();

  await page.getByLabel('Name').fill('LINE Phuket');
  await page.route('**/v1/channels/ch_*', (r) => (r.request().method() === 'PATCH' ? r.fulfill(problem(412, 'version_mismatch')) : r.continue()), { times: 1 });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Somebody changed this channel meanwhile').waitFor();
  expect(await page.getByLabel('Name').inputValue()).toBe('LINE Phuket');
  await page.getByRole('button', { name: 'Read theirs' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'LINE Phuket' }).waitFor();
  const { data } = await call<{ data: Channel[] }>('GET', '/v1/channels?type=line');
  expect(data.map((c) => c.name)).toContain('LINE Phuket');
});

test.each(['light', 'dark'] as const)('axe finds nothing serious in the %s theme', async (colorScheme) => {
  const page = await visit('/channels', { colorScheme, reducedMotion: 'reduce' });
  await signIn(page);
  await page.getByRole('link', { name: 'Demo whatsapp' }).click();
  await page.getByRole('heading', { name: 'What this channel can do' }).waitFor();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}`))).toEqual([]);
});
