import { expect, test } from 'vitest';
import { stays } from '../../src/screens/inbox/talk/useEnd';

// A field of 400 pixels; of each: whether the end was followed, where the top was, where it is now, and how high everything is.
test.each<[string, boolean, number, number, number, boolean]>([
  ['nothing has moved', true, 600, 600, 1_000, true],
  ['a picture of 240 pixels came in below', true, 600, 600, 1_240, true],
  ['rounding took half a pixel', true, 600, 599.5, 1_240, true],
  ['somebody scrolled up a little', true, 600, 570, 1_000, true],
  ['somebody scrolled up', true, 600, 500, 1_000, false],
  ['somebody scrolled up while a picture came in', true, 600, 500, 1_240, false],
  ['further up something came in below', false, 100, 100, 1_240, false],
  ['somebody scrolled down, not to the end', false, 100, 300, 1_000, false],
  ['somebody scrolled to the end', false, 100, 590, 1_000, true],
  ['older messages came in above, and what is read stayed', false, 100, 900, 1_800, false],
  ['less is there, and all of it in sight', false, 100, 0, 300, true],
])('%s', (_, did, top, scrollTop, scrollHeight, want) => {
  expect(stays(did, top, { scrollTop, scrollHeight, clientHeight: 400 })).toBe(want);
});
