import { i18n } from '@lingui/core';
import { messages as en } from './en.po';

/** languages are those that have a catalogue here; each is named in itself. */
export const languages: Record<string, string> = { en: 'English' };

const rightToLeft = /^(ar|fa|he|ur)\b/;

/** speak switches to a language, and turns the page to its direction. */
export function speak(locale: string): void {
  i18n.load('en', en);
  i18n.activate(locale in languages ? locale : 'en');
  document.documentElement.lang = i18n.locale;
  document.documentElement.dir = rightToLeft.test(i18n.locale) ? 'rtl' : 'ltr';
}

export { i18n };
