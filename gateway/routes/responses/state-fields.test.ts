import { describe, expect, it } from 'vitest';
import { readStateFields } from './state-fields.ts';

const resp = 'resp_1';

describe('whether a response is kept', () => {
  const kept = (fields: object, isBatch = false) => {
    const { store, mustStore } = readStateFields({ ...fields }, isBatch);
    return [store, mustStore];
  };

  it('is up to the client; without a word it is kept if that is possible', () => {
    for (const store of [undefined, null]) expect(kept({ store })).toEqual([true, false]);
    expect(kept({ store: true })).toEqual([true, true]);
    expect(kept({ store: false })).toEqual([false, false]);
  });

  it('must be so for one that continues something, or runs in the background', () => {
    const fields = [{ previous_response_id: resp }, { conversation: 'conv_1' }, { background: true }];
    for (const field of fields) expect(kept(field)).toEqual([true, true]);
    expect(kept({ previous_response_id: resp, store: false })).toEqual([false, false]);
  });

  it('has to be asked for in a line of a batch', () => {
    expect(kept({}, true)).toEqual([false, false]);
    expect(kept({ previous_response_id: resp }, true)).toEqual([false, false]);
    expect(kept({ store: true }, true)).toEqual([true, true]);
  });
});

describe('what is continued', () => {
  it('is a response, or a conversation in either form, or nothing', () => {
    const read = (fields: object) => {
      const { previousId, conversationId } = readStateFields({ ...fields }, false);
      return [previousId, conversationId];
    };
    expect(read({ previous_response_id: resp, conversation: null })).toEqual([resp, undefined]);
    expect(read({ conversation: 'conv_1' })).toEqual([undefined, 'conv_1']);
    expect(read({ conversation: { id: 'conv_1' } })).toEqual([undefined, 'conv_1']);
    for (const none of [undefined, null, ''])
      expect(read({ previous_response_id: none, conversation: none })).toEqual([undefined, undefined]);
  });
});

it.each([
  [{ store: 'yes' }, 'store'],
  [{ background: 1 }, 'background'],
  [{ background: true, store: false }, 'background'],
  [{ previous_response_id: 7 }, 'previous_response_id'],
  [{ previous_response_id: [resp] }, 'previous_response_id'],
  [{ conversation: 7 }, 'conversation'],
  [{ conversation: {} }, 'conversation.id'],
  [{ conversation: { id: null } }, 'conversation.id'],
  [{ conversation: 'conv_1', previous_response_id: resp }, 'conversation'],
  [{ metadata: 'x' }, 'metadata'],
  [{ metadata: { a: 5 } }, 'metadata'],
])('%j is rejected', (fields, param) => {
  expect(() => readStateFields(fields, false)).toThrow(expect.objectContaining({ status: 400, param }));
});

it('metadata are checked only where they are stored', () => {
  expect(readStateFields({ metadata: { a: 'b' } }, false).store).toBe(true);
  expect(readStateFields({ metadata: { a: 5 }, store: false }, false).store).toBe(false);
});

it('a line of a batch runs in no other background', () => {
  const rejected = expect.objectContaining({ status: 400, param: 'background' });
  expect(() => readStateFields({ background: true }, true)).toThrow(rejected);
});
