/** Answers is what a person picked or filled in, as the API has it in a message's interaction. */
export interface Answers {
  kind?: string;
  id?: string;
  title?: string;
  description?: string;
  payload?: string;
  /** of a form: what was filled in */
  data?: unknown;
}

/** Order is a basket. */
export interface Order {
  note?: string;
  items?: { product_id: string; quantity: number; price: string; currency: string }[] | null;
}

/** Referral is the ad, post or link that led somebody here. */
export interface Referral {
  code?: string;
  source?: string;
  url?: string;
  headline?: string;
  body?: string;
}

interface Parameter {
  text?: string;
  payload?: string;
  coupon_code?: string;
  currency?: { fallback_value?: string };
  date_time?: { fallback_value?: string };
  location?: { name?: string; address?: string };
}

interface Component {
  parameters?: Parameter[] | null;
  cards?: { components?: Component[] | null }[] | null;
}

/** Template is an approved message with what fills it. */
export interface Template {
  name?: string;
  language?: string;
  components?: Component[] | null;
}

/** values are what a template was filled with, as far as it is text. */
export function values(t: Pick<Template, 'components'>): string[] {
  return (t.components ?? []).flatMap((c) => [
    ...(c.parameters ?? []).flatMap((p) => p.text ?? p.payload ?? p.coupon_code ?? p.currency?.fallback_value ?? p.date_time?.fallback_value ?? p.location?.name ?? p.location?.address ?? []),
    ...(c.cards ?? []).flatMap(values),
  ]);
}

/** choiceOf is what was picked, in the words in which it was offered where they are known. */
export const choiceOf = (a: Answers): string => a.title || a.payload || a.id || '';

// A form has few fields; what a stranger sends may have any number.
const mostAnswers = 50;

/** answersOf are the fields of a form with what was filled in; what only tells the form itself is left out. */
export function answersOf(a: Answers): [string, string][] {
  if (typeof a.data !== 'object' || a.data === null) return [];
  return Object.entries(a.data)
    .filter(([key, v]) => key !== 'flow_token' && v !== null && v !== '')
    .slice(0, mostAnswers)
    .map(([key, v]) => [key, typeof v === 'string' ? v : JSON.stringify(v)]);
}
