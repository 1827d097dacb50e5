import { i18n } from '../locales/i18n';
import { toast } from './toast';

/** copy puts a text on the clipboard, and says whether it could. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast('check', i18n._('Copied'));
  } catch {
    toast('alert', i18n._('The browser does not allow copying here.'));
  }
}
