import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, Customer, enter, field, said } from '../screens/world';

// make bench-web: what the console costs, with ROWS conversations in the list and EVENTS messages that come in while it is open.
// The tables go into docs/reference/performance.md. Figures are reported, not asserted: machines differ.
const rows = Number(process.env['ROWS'] ?? 100_000);
const events = Number(process.env['EVENTS'] ?? 72_000);
const tries = 30;

const table: string[][] = [];
const tell = (what: string, ...values: string[]) => {
  table.push([what, ...values]);
  console.log([what, ...values].join(' | '));
};
const ms = (t: number) => (t < 10 ? `${t.toFixed(1)} ms` : `${Math.round(t).toLocaleString('en')} ms`);
const at = (all: number[], share: number) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? NaN;
const spread = (what: string, all: number[]) => tell(what, ms(at(all, 0.5)), ms(at(all, 0.95)), ms(Math.max(...all)), '');

const name = (n: number) => `Person ${String(n).padStart(6, '0')}`;
const number = (n: number) => `+49151${String(20_000_000 + n)}`;

/** flood has people write, so many at once as a provider has connections. */
async function flood(n: number, person: (i: number) => number, text: (i: number) => string): Promise<void> {
  let next = 0;
  const one = async () => {
    for (let i = next++; i < n; i = next++) await call('POST', '/simulator/inbound', { type: 'whatsapp', from: number(person(i)), name: name(person(i)), text: text(i) });
  };
  await Promise.all(Array.from({ length: 32 }, one));
}

/** there counts the conversations to the end of the list. */
async function there(): Promise<number> {
  let n = 0;
  for (let cursor = ''; ; ) {
    const page: { data: unknown[]; next_cursor: string | null } = await call('GET', `/v1/conversations?view=all&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    n += page.data.length;
    if (!page.next_cursor) return n;
    cursor = page.next_cursor;
  }
}

const settled = async (done: () => Promise<boolean>) => {
  while (!(await done())) await new Promise((next) => setTimeout(next, 500));
};

beforeAll(async () => {
  await flood(rows, (i) => i, (i) => `the first message of ${name(i)}`);
  await settled(async () => (await there()) >= rows);
}, 1_800_000);

afterAll(() => {
  const doc = resolve(import.meta.dirname, '../../../../../docs/reference/performance.md');
  const [begin, end] = ['<!-- bench:web -->', '<!-- /bench:web -->'];
  const text = readFileSync(doc, 'utf8');
  const about = `${new Date().toISOString().slice(0, 10)}, ${process.env['COMMIT'] ?? ''}, ${cpus().length} × ${cpus()[0]?.model ?? ''}, Linux ${release()}; ${rows.toLocaleString('en')} conversations; browser and process on the same cores.`;
  const lines = ['| what | p50 | p95 | longest | |', '|---|---|---|---|---|', ...table.map((r) => `| ${r.join(' | ')} |`)];
  writeFileSync(doc, `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${about}\n\n${lines.join('\n')}\n\n${text.slice(text.indexOf(end))}`);
});

const shownAt = (selector: string) => `new Promise((done) => {
  const look = () => document.querySelector(${JSON.stringify(selector)}) ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})`;

test('the list', async () => {
  const page = await enter('/inbox');
  await page.locator('.crow').first().waitFor();
  const warm: number[] = [];
  for (let i = 0; i < tries; i++) {
    await page.goto('/inbox');
    warm.push(await page.evaluate<number>(shownAt('.crow')));
  }
  spread('from the address to the rows of the list, page in the cache of the browser', warm);
  const cold: number[] = [];
  const cdp = await page.context().newCDPSession(page);
  for (let i = 0; i < 10; i++) {
    await cdp.send('Network.clearBrowserCache');
    await page.goto('/inbox');
    cold.push(await page.evaluate<number>(shownAt('.crow')));
  }
  spread('the same with an empty cache', cold);
});

test('a conversation', async () => {
  const page = await enter('/inbox');
  await page.locator('.crow').nth(20).waitFor();
  const times: number[] = [];
  for (let i = 0; i < tries; i++) {
    times.push(
      await page.evaluate<number, number>(async (n) => {
        const all = document.querySelectorAll<HTMLElement>('.crow');
        const row = all[n % all.length];
        if (!row) return NaN;
        const began = performance.now();
        row.click();
        const open = () => location.pathname.endsWith(row.id) && document.querySelector(`[role=log][aria-label$="${row.querySelector('.nm')?.textContent ?? ''}"] .m`);
        while (!open()) await new Promise((next) => requestAnimationFrame(next));
        return performance.now() - began;
      }, i),
    );
  }
  spread('from a click on a row to its messages', times);
});

test('an answer', async () => {
  // Telegram takes one message a second into a chat, WhatsApp one in six seconds: more would measure how the gateway holds back.
  await call('POST', '/simulator/inbound', { type: 'telegram', from: '777000777', name: 'Sent And Seen', text: 'hello' });
  let id = '';
  await settled(async () => {
    const { data } = await call<{ data: { id: string; peer: string }[] }>('GET', '/v1/conversations?view=all&limit=50');
    id = data.find((c) => c.peer === '777000777')?.id ?? '';
    return id !== '';
  });
  const page = await enter(`/inbox/${id}`);
  await said(page, 'hello').waitFor();
  const seen: number[] = [];
  const sent: number[] = [];
  for (let i = 0; i < tries; i++) {
    await field(page).fill(`answer ${i} of many`);
    const [a, b] = await page.evaluate<[number, number], string>(async (text) => {
      const mine = () => [...document.querySelectorAll('.m')].find((m) => m.textContent?.includes(text));
      const frame = () => new Promise((next) => requestAnimationFrame(next));
      const began = performance.now();
      document.querySelector<HTMLElement>('.cmp button.pri')?.click();
      while (!mine()) await frame();
      const shown = performance.now() - began;
      while (!mine()?.querySelector('.st.sent, .st.delivered, .st.read')) await frame();
      return [shown, performance.now() - began];
    }, `answer ${i} of many`);
    seen.push(a);
    sent.push(b);
    await new Promise((next) => setTimeout(next, 1_000));
  }
  spread('from Send to the message in the timeline', seen);
  spread('from Send to its tick: through the store, Kafka, the channel service and the provider, and back', sent);

  const other = await enter(`/inbox/${id}`);
  await said(other, 'hello').waitFor();
  const acts: number[] = [];
  for (let i = 0; i < tries; i++) {
    const tag = `tag${i}`;
    const began = performance.now();
    await Promise.all([call('POST', `/v1/conversations/${id}/tags`, { tags: [tag] }), other.locator('.chip', { hasText: tag }).first().waitFor()]);
    acts.push(performance.now() - began);
  }
  spread('from the act of one agent until another one sees it', acts);
});

/** busy has the page keep count of its long tasks. */
const busy = (page: Page) =>
  page.evaluate(() => {
    const all: number[] = [];
    new PerformanceObserver((list) => list.getEntries().forEach((e) => all.push(e.duration))).observe({ type: 'longtask' });
    Object.assign(window, { longTasks: all });
  });
const longTasks = (page: Page) => page.evaluate<number[]>('window.longTasks');

test('scrolling', async () => {
  const page = await enter('/inbox');
  await page.locator('.crow').first().waitFor();
  await busy(page);
  const began = performance.now();
  await page.evaluate<void, string>(async (last) => {
    const el = document.querySelector('.rows');
    if (!el) throw new Error('no list');
    for (;;) {
      el.scrollTop += el.clientHeight;
      await new Promise((next) => requestAnimationFrame(next));
      if ([...document.querySelectorAll('.crow .nm')].some((n) => n.textContent === last)) return;
    }
  }, name(0));
  const took = performance.now() - began;
  const long = await longTasks(page);
  tell('long tasks (over 50 ms) while scrolling from the first row to the last', `${long.length} of them`, '', long.length ? ms(Math.max(...long)) : 'none', `${(took / 1000).toFixed(0)} s, ${Math.round(rows / (took / 1000)).toLocaleString('en')} rows/s`);
});

test('an hour', async () => {
  const page = await enter('/inbox');
  await page.locator('.crow').first().click();
  await page.locator('.m').first().waitFor();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const now = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    const of = (key: string) => metrics.find((m) => m.name === key)?.value ?? NaN;
    return { heap: of('JSHeapUsedSize') / 1e6, nodes: of('Nodes') };
  };
  await busy(page);
  const before = await now();
  const began = performance.now();
  await flood(events, (i) => (i * 7919) % rows, (i) => `event ${i}`);
  const cust = new Customer('At The End');
  await cust.say('the last of the hour');
  await page.locator('.crow', { hasText: 'At The End' }).waitFor();
  const took = (performance.now() - began) / 1000;
  const after = await now();
  const long = await longTasks(page);
  expect(after.heap).toBeGreaterThan(0);
  tell(`memory of the page before and after ${events.toLocaleString('en')} messages, which is an hour at 20 a second`, `${before.heap.toFixed(1)} MB`, '', `${after.heap.toFixed(1)} MB`, `${before.nodes} nodes, then ${after.nodes}; played at ${Math.round(events / took)}/s; ${long.length} long tasks, longest ${ms(Math.max(0, ...long))}`);
});
