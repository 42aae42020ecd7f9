import { expect, it } from 'vitest';
import { openTestStore } from '../../../test/harness/open-test-store.ts';
import { saveTurn } from '../../../test/harness/stored-responses.ts';
import { readHistory } from './read-history.ts';

it('reads no more than may be used: the newest items if the others may be left out, else none', async () => {
  await using opened = await openTestStore();
  const { store } = opened;
  let previousId: string | undefined;
  for (const letter of 'abcdef') previousId = saveTurn(store, letter.repeat(1000), { previousId });
  const read = (maxBytes: number, mayTruncate: boolean) =>
    readHistory(store, 'app', { previousId, conversationId: undefined }, { maxBytes, mayTruncate }).items.map(
      ({ content }) => (content as { text: string }[])[0]?.text[0],
    );
  expect(read(100_000, false)).toEqual([...'aAbBcCdDeEfF']);
  expect(read(4000, true)).toEqual([...'EfF']);
  expect(() => read(4000, false)).toThrow(
    expect.objectContaining({ status: 400, code: 'context_length_exceeded' }),
  );
});
