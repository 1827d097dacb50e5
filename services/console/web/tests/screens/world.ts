import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'].find(existsSync);

export const running = inject('running');

interface Demo {
  api_key: string;
  email: string;
  password: string;
}

export const demo = JSON.parse(readFileSync(join(running.dir, 'demo.json'), 'utf8')) as Demo;

/** call calls the API with the demo's key. */
export async function call<T = unknown>(method: string, at: string, body?: unknown, key = crypto.randomUUID() as string): Promise<T> {
  const creates = method === 'POST' && at.startsWith('/v1/') && /\/(messages|users|queues)$/.test(at);
  const r = await fetch(running.url + at, {
    method,
    headers: { Authorization: `Bearer ${demo.api_key}`, 'Content-Type': 'application/json', ...(creates && { 'Idempotency-Key': key }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${at}: ${r.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** newNumber is the digits of a telephone number that nobody had: all files of tests share one server, so a number that counts would come up again. */
export const newNumber = () => `49151${randomInt(100_000_000, 1_000_000_000)}`;

interface Talk {
  id: string;
  peer: string;
  version: number;
  contact: { id: string };
}

/** Customer is somebody who writes through a simulated channel, WhatsApp if no other is named; below a post, if one is named. */
export class Customer {
  readonly from = `+${newNumber()}`;
  private peer = this.from.slice(1);
  private last = '';

  constructor(
    readonly name: string,
    readonly type = 'whatsapp',
    readonly post?: string,
  ) {}

  async say(text: string, more: { kind?: string } & Record<string, unknown> = {}): Promise<void> {
    const { peer } = await call<{ peer?: string }>('POST', '/simulator/inbound', { type: this.type, from: this.from, name: this.name, text, ...(this.post && { post: this.post }), ...more });
    if (peer) this.peer = peer.replace(/^\+/, '');
    if (!more.kind) this.last = text;
  }

  /** conversation waits until there is one that has the last text that was said: what one person does comes in in its order. */
  async conversation(): Promise<Talk> {
    for (;;) {
      const { data } = await call<{ data: Talk[] }>('GET', `/v1/conversations?view=all&limit=200&channel_type=${this.type}&kind=${this.post ? 'comments' : 'messages'}`);
      for (const talk of data.filter((c) => c.peer.includes(this.peer))) {
        const said = await call<{ data: { text?: string }[] }>('GET', `/v1/conversations/${talk.id}/messages?limit=50`);
        if (said.data.some((m) => (m.text ?? '') === this.last)) return talk;
      }
      await new Promise((next) => setTimeout(next, 50));
    }
  }
}

let browser: Browser;
const open: { page: Page; problems: string[] }[] = [];

beforeAll(async () => {
  if (!path) throw new Error('there is no Chromium');
  browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
});

afterAll(() => browser.close());

// Whatever a test does, the page must not throw, nothing may run that is not ours, nobody else may be called, and no text may be looked for in vain.
afterEach(async () => {
  for (const { page, problems } of open.splice(0)) {
    await page.context().close();
    expect(problems).toEqual([]);
  }
});

/** visit opens a page of its own, signed out. */
export async function visit(at: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: running.url, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const problems: string[] = [];
  open.push({ page, problems });
  page.on('pageerror', (e) => problems.push(`threw: ${e.message}`));
  page.on('dialog', (d) => problems.push(`a dialog: ${d.message()}`));
  page.on('console', (m) => m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text()) && problems.push(m.text()));
  page.on('console', (m) => m.text().includes('Uncompiled message') && problems.push(m.text()));
  page.on('request', (r) => !/^(blob|data):/.test(r.url()) && new URL(r.url()).origin !== running.url && problems.push(`called ${r.url()}`));
  await page.goto(at);
  return page;
}

export async function signIn(page: Page, who: Pick<Demo, 'email' | 'password'> = demo): Promise<void> {
  await page.getByLabel('Email').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** enter opens a page as the demo's owner. */
export async function enter(at: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await visit(at, options);
  await signIn(page);
  await page.getByRole('region', { name: 'Contact list' }).waitFor({ state: 'attached' });
  return page;
}

/** problem is an answer with which a test has a call refused. */
export const problem = (status: number, code: string, more: object = {}) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: `/docs/errors#${code}`, title: code, status, code, retryable: status >= 500, request_id: 'req_test', ...more }),
});

/** patient is for expect.poll, which gives up after a second: a state is waited for as long as it takes. */
export const patient = { timeout: 120_000 };

export const field = (page: Page) => page.locator('.cmp textarea');
export const said = (page: Page, text: string) => page.locator('.m', { hasText: text });
