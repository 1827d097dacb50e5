import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, test } from 'vitest';
import { call, enter, field, said, visit } from '../screens/world';
import { story } from './story';

// make screenshots: every screen, in both themes and three widths, into docs/guide/console. Nothing is compared: people look at them.
const folder = resolve(import.meta.dirname, '../../../../../docs/guide/console');

let id = '';

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  id = await story();
});

/** picture writes what is in sight. WebP is what the browser itself can write smallest, and every page that shows Markdown takes it. */
async function picture(page: Page, name: string): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined)));
    await Promise.all([...document.images].map((i) => i.decode().catch(() => undefined)));
  });
  const chromium = await page.context().newCDPSession(page);
  const { data } = await chromium.send('Page.captureScreenshot', { format: 'webp', quality: 88 });
  writeFileSync(resolve(folder, `${name}.webp`), Buffer.from(data, 'base64'));
}

const sizes = [
  [1440, 900],
  [1024, 768],
  [390, 844],
] as const;

test.each(sizes.flatMap(([width, height]) => (['light', 'dark'] as const).map((theme) => [theme, width, height] as const)))('%s, %d by %d', async (colorScheme, width, height) => {
  const options = { colorScheme, viewport: { width, height } };
  const as = (name: string) => `${name}-${colorScheme}-${width}`;
  const small = width < 760;

  const out = await visit('/signin', options);
  await out.getByRole('heading', { name: 'Sign in to Tributary' }).waitFor();
  await picture(out, as('signin'));

  const page = await enter('/inbox', options);
  await page.locator('.crow', { hasText: 'Siti Rahmawati' }).waitFor();
  if (small) await picture(page, as('list'));
  await page.locator('.vsel').click();
  await page.getByRole('menuitemradio', { name: /Unassigned/ }).waitFor();
  await picture(page, as('views'));
  await page.keyboard.press('Escape');

  await page.goto(`/inbox/${id}`);
  await said(page, 'saya tunggu fotonya').waitFor();
  await field(page).fill('Baik Ibu Siti, penggantinya sudah saya buatkan dan berangkat sore ini dari Cikarang.');
  await picture(page, as('conversation'));
  await said(page, 'boleh minta nomor').or(said(page, 'Boleh minta nomor')).first().hover();
  await page.locator('.meta').waitFor();
  await picture(page, as('message'));
  await page.mouse.move(1, 1);
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  await field(page).fill('Refund only if the shop in Jakarta has none left.');
  await picture(page, as('note'));
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Routing, explained' }).click();
  await page.getByRole('dialog').waitFor();
  await picture(page, as('routing'));
  await page.keyboard.press('Escape');

  await page.goto('/simulator');
  await page.locator('.call').first().waitFor();
  await picture(page, as('simulator'));
  await page.getByRole('tab', { name: 'Misbehave' }).click();
  await page.getByRole('switch', { name: /^Refuse/ }).click();
  await picture(page, as('misbehave'));

  const { data: channels } = await call<{ data: { id: string; type: string }[] }>('GET', '/v1/channels?limit=200');
  await page.goto('/channels');
  await page.getByRole('navigation', { name: 'Channels' }).getByRole('link').first().waitFor();
  await picture(page, as('channels'));
  await page.goto(`/channels/${channels.find((c) => c.type === 'whatsapp')?.id ?? ''}`);
  await page.getByLabel('Name').waitFor();
  await picture(page, as('channel'));
  await page.goto('/channels/new');
  await page.getByRole('heading', { name: 'New channel' }).waitFor();
  await picture(page, as('new-channel'));
});
