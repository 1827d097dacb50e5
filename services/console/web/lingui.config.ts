import { defineConfig } from '@lingui/cli';
import { formatter } from '@lingui/format-po';

// The texts in the code are English and are the ids of the messages: a language is a file beside en.po. They stand there in the order of
// their letters, which does not depend on what was read first.
export default defineConfig({
  sourceLocale: 'en',
  locales: ['en'],
  catalogs: [{ path: '<rootDir>/src/locales/{locale}', include: ['src'] }],
  orderBy: 'messageId',
  format: formatter({ lineNumbers: false, origins: false }),
});
