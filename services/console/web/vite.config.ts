import { lingui } from '@lingui/vite-plugin';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// API is where `npm run dev` finds a running process.
const api = process.env['API'] ?? 'http://localhost:8080';

export default defineConfig({
  plugins: [react(), tailwindcss(), lingui()],
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
