import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { assistantMessage, saveTurn, textsOf, userMessage } from '../test/harness/stored-responses.ts';
import { newId } from './ids.ts';

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('a response (%s)', (_, key) => {
  it('is returned as it was told, to its owner only', async () => {
    await using test = await openTestStore({ key });
    const { responses } = test.store;
    const id = newId('resp_');
    const output = [{ type: 'reasoning', id: 'rs_1', summary: [], content: null }, assistantMessage('hello')];
    const usage = { input_tokens: 3, output_tokens: 1 };
    const object = { id, object: 'response', status: 'incomplete', temperature: 1e-7, output, usage };
    responses.save({
      ...{ owner: 'app', id, status: 'incomplete', model: 'demo', createdAt: 1_800_000_000, object },
      ...{ input: [{ item: userMessage('hi') }], stream: true },
    });
    const stored = test.open('gateway').responses.get('app', id);
    expect(stored).toMatchObject({ id, owner: 'app', status: 'incomplete', background: false, stream: true });
    expect(stored).toMatchObject({ model: 'demo', createdAt: 1_800_000_000, previousId: null, usage });
    expect(JSON.parse(JSON.stringify(stored?.object))).toEqual(object);
    for (const other of ['other', '']) {
      expect(responses.get(other, id)).toBeUndefined();
      expect(responses.inputItems(other, id, { limit: 9, order: 'asc' })).toBeUndefined();
      expect([...responses.historyBackwards(other, { previousId: id })]).toEqual([]);
      expect(responses.delete(other, id)).toBe(false);
      expect(responses.findItem(other, 'rs_1')).toBeUndefined();
    }
    expect(responses.findItem('app', 'rs_1')).toEqual({ id: 'rs_1', item: output[0] });
  });

  it('has the history of what it continues, and not that of its siblings', async () => {
    await using test = await openTestStore({ key });
    const { store } = test;
    const root = saveTurn(store, 'a');
    const left = saveTurn(store, 'b', { previousId: root });
    const right = saveTurn(store, 'c', { previousId: root });
    const leaf = saveTurn(store, 'd', { previousId: left });
    const history = (previousId: string) => textsOf(store.responses.historyBackwards('app', { previousId }));
    expect(history(leaf)).toEqual(['a', 'A', 'b', 'B', 'd', 'D']);
    expect(history(right)).toEqual(['a', 'A', 'c', 'C']);
    expect(textsOf(store.responses.historyBackwards('app', { before: leaf }))).toEqual(['a', 'A', 'b', 'B']);
  });
});
