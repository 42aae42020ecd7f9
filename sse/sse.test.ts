import { expect, it } from 'vitest';
import { parseEvents } from './sse.ts';

it('reads the events of a text, and takes U+2028 in one for no end of its line', () => {
  const said = { choices: [{ text: 'a\u2028b' }], id: 'one' };
  const text = `: ping\n\nevent: x\ndata: ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`;
  expect(parseEvents(text)).toEqual([said]);
});
