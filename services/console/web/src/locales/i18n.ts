import { i18n } from '@lingui/core';
import { messages as en } from './en.po';

/** languages are those that have a catalogue here; each is named in itself. */
export const languages: Record<string, string> = { en: 'English' };

// A catalogue has no text that is the same as its id (vite.config.ts): what is not in it is said as it stands. Without a compiler Lingui
// writes a warning into the browser's console for each of them, every time, which took as long as everything else of a page together.
i18n.setMessagesCompiler((text) => [text]);

const rightToLeft = /^(ar|fa|he|ur)\b/;

/** speak switches to a language, and turns the page to its direction. */
export function speak(locale: string): void {
  i18n.load('en', en);
  i18n.activate(locale in languages ? locale : 'en');
  document.documentElement.lang = i18n.locale;
  document.documentElement.dir = rightToLeft.test(i18n.locale) ? 'rtl' : 'ltr';
}

export { i18n };
