import { readFileSync } from 'node:fs';
import { lingui } from '@lingui/vite-plugin';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

// API is where `npm run dev` finds a running process.
const api = process.env['API'] ?? 'http://localhost:8080';

// The English texts in the code are their own ids: those that nothing is filled into need no entry in their catalogue.
const ownIds: Plugin = {
  name: 'own-ids',
  enforce: 'post',
  transform(code, id) {
    if (!id.endsWith('/en.po')) return;
    return code.replace(/JSON\.parse\((".*")\)/s, (_, text: string) => {
      const all = Object.entries(JSON.parse(JSON.parse(text) as string) as Record<string, unknown[]>);
      const needed = Object.fromEntries(all.filter(([id, message]) => message.length !== 1 || message[0] !== id));
      return `JSON.parse(${JSON.stringify(JSON.stringify(needed))})`;
    });
  },
};

// A picker needs little of what is known of emojis, and of those only what the fonts of the last years have.
const newest = 15;
const skinsAndHair = 2;
const emojis: Plugin = {
  name: 'emojis',
  resolveId: (id) => (id === 'virtual:emojis' ? `\0${id}` : undefined),
  load(id) {
    if (id !== '\0virtual:emojis') return;
    const read = (name: string) => JSON.parse(readFileSync(new URL(`node_modules/emojibase-data/en/${name}.json`, import.meta.url), 'utf8')) as never;
    const all: { emoji: string; label: string; tags?: string[]; group?: number; version: number }[] = read('data');
    const { groups }: { groups: { order: number; message: string }[] } = read('messages');
    const data = {
      categories: groups.filter((g) => g.order !== skinsAndHair).map((g) => ({ index: g.order, label: g.message })),
      emojis: all.flatMap(({ emoji, label, tags = [], group: category, version }) =>
        category === undefined || category === skinsAndHair || version > newest ? [] : [{ emoji, label, tags, category }],
      ),
    };
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(data))})`;
  },
};

export default defineConfig({
  plugins: [react(), tailwindcss(), lingui(), ownIds, emojis],
  // The server puts a nonce of its own into every answer in place of this text.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // The texts of the licences of everything that is in the pages.
    license: { fileName: 'licences.md' },
  },
  server: { proxy: { '/v1': api, '/simulator/': api } },
});
