import { defineConfig } from '@lingui/cli';
import { formatter } from '@lingui/format-po';

// The texts in the code are English and are the ids of the messages: a language is a file beside en.po.
export default defineConfig({
  sourceLocale: 'en',
  locales: ['en'],
  catalogs: [{ path: '<rootDir>/src/locales/{locale}', include: ['src'] }],
  format: formatter({ lineNumbers: false, origins: false }),
});
