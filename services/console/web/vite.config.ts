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

export default defineConfig({
  plugins: [react(), tailwindcss(), lingui(), ownIds],
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
