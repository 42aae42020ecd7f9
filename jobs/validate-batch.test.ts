import { expect, it } from 'vitest';
import type { NewLine } from '../store/batch-line.ts';
import { validateBatch } from './validate-batch.ts';

const endpoint = '/v1/chat/completions';
const lineOf = (id: string, change: object = {}) => ({
  ...{ custom_id: id, method: 'POST', url: endpoint, body: { model: 'demo', messages: [] } },
  ...change,
});

async function* fileOf(lines: Iterable<object | string>) {
  for (const line of lines) yield Buffer.from(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
}

async function validate(
  lines: Iterable<object | string>,
  signal = new AbortController().signal,
  forEndpoint = endpoint,
) {
  const stored: NewLine[] = [];
  const ids = new Set<string>();
  const calls: number[] = [];
  const validation = await validateBatch({
    ...{ endpoint: forEndpoint, content: fileOf(lines), maxLineLength: 1000, key: undefined, signal },
    addLines: async (added) => {
      calls.push(added.length);
      const duplicates = added.filter(({ customId }) => ids.has(customId) || !ids.add(customId));
      stored.push(...added);
      return duplicates.map(({ number }) => number);
    },
  });
  return { validation, stored, calls };
}

function* many(count: number) {
  for (let n = 0; n < count; n++) yield lineOf(`a${n}`);
}

it('stores where each line is', async () => {
  const { validation, stored } = await validate([lineOf('a'), '', lineOf('b')]);
  expect(validation).toEqual({ lines: 2, model: 'demo' });
  const length = JSON.stringify(lineOf('a')).length;
  expect(stored).toMatchObject([
    { number: 1, offset: 0, length, customId: 'a' },
    { number: 3, offset: length + 2, length, customId: 'b' },
  ]);
});

it('stores a thousand lines at a time', async () => {
  const { validation, calls } = await validate(many(2500));
  expect(validation).toMatchObject({ lines: 2500 });
  expect(calls).toEqual([1000, 1000, 500]);
});

it('accepts 50,000 lines and no more', async () => {
  expect((await validate(many(50_000))).validation).toMatchObject({ lines: 50_000 });
  const { validation } = await validate(many(60_000));
  expect(validation).toEqual({
    errors: [{ code: 'too_many_tasks', line: null, param: null, message: expect.stringContaining('50000') }],
  });
});

it.each([[[]], [['', ' ']]])('rejects a file without lines: %j', async (lines) => {
  expect((await validate(lines)).validation).toMatchObject({ errors: [{ code: 'empty_file', line: null }] });
});

it('names every mistake by its line, in order', async () => {
  const other = { model: 'other', messages: [] };
  const { validation } = await validate([
    lineOf('a'),
    '{"custom_id":',
    lineOf('a'),
    lineOf('c', { url: '/v1/embeddings' }),
    lineOf('d', { body: other }),
    lineOf('e', { body: { messages: [] } }),
    lineOf('f', { body: { model: 'demo', messages: ['x'.repeat(1000)] } }),
    lineOf('g'),
  ]);
  expect('errors' in validation && validation.errors.map(({ line, code }) => [line, code])).toEqual([
    [2, 'invalid_json_line'],
    [3, 'duplicate_custom_id'],
    [4, 'url_mismatch'],
    [5, 'model_mismatch'],
    [6, 'model_mismatch'],
    [7, 'line_too_long'],
  ]);
});

it('lets the requests of a message batch name different models', async () => {
  const url = '/v1/messages';
  const lines = ['demo', 'other'].map((model) => lineOf(model, { url, body: { model, messages: [] } }));
  const { validation, stored } = await validate(lines, undefined, url);
  expect(validation).toEqual({ lines: 2, model: 'demo' });
  expect(stored.map(({ model }) => model)).toEqual([undefined, 'other']);
});

it('distinguishes no more than a few models of a message batch', async () => {
  const url = '/v1/messages';
  const models = ['a', undefined, ...Array.from({ length: 40 }, (_, n) => `other-${n}`), 'other-1', 'a'];
  const lines = models.map((model, n) => lineOf(`${n}`, { url, body: { model, messages: [] } }));
  const { stored } = await validate(lines, undefined, url);
  expect(new Set(stored.map(({ model }) => model)).size).toBe(17);
  expect(stored.at(-2)?.model).toBe('other-1');
  expect(stored.at(-1)?.model).toBeUndefined();
});

it('reports a hundred mistakes at most, and reads no further', async () => {
  let read = 0;
  function* broken() {
    for (; read < 10_000; read++) yield '{';
  }
  const { validation } = await validate(broken());
  expect('errors' in validation && validation.errors).toHaveLength(100);
  expect(read).toBeLessThan(200);
});

it('stops when it is interrupted', async () => {
  await expect(validate(many(10), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
