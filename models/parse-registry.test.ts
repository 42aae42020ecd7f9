import { describe, expect, it } from 'vitest';
import { parseRegistry } from './parse-registry.ts';
import { RegistryError } from './registry.ts';

const read = (models: readonly object[], aliases: readonly object[] = []) =>
  parseRegistry(JSON.stringify({ version: 1, models, aliases }), '/models');

function problemsOf(text: string): readonly string[] {
  try {
    parseRegistry(text, '/models');
  } catch (error) {
    if (error instanceof RegistryError) return error.problems;
    throw error;
  }
  return [];
}
const mistakes = (models: readonly unknown[], aliases: readonly unknown[] = []) =>
  problemsOf(JSON.stringify({ version: 1, models, aliases }));

const chat = { id: 'chat', file: 'chat.gguf' };
const small = { id: 'small', file: 'small.gguf' };

describe('a registry', () => {
  it('needs only an id and a source for each model', () => {
    expect(read([chat]).models).toEqual([
      {
        id: 'chat',
        source: { kind: 'file', path: '/models/chat.gguf' },
        kind: 'chat',
        ctx: undefined,
        parallel: undefined,
        ngl: undefined,
        args: [],
        mmproj: undefined,
        draft: undefined,
        speculate: undefined,
        adapters: [],
        devices: undefined,
        replicas: 1,
        pin: false,
        ttl: undefined,
        limits: {},
        listed: true,
        defaults: {},
      },
    ]);
  });

  it('reads sizes and durations as the variables do', () => {
    const limits = { concurrent: 2, queueSize: '10', queueTimeout: '90s', requestTimeout: 0, memory: '6GiB' };
    const [model] = read([{ ...chat, ctx: 'auto', parallel: '4', ngl: 99, ttl: '10m', limits }]).models;
    expect(model).toMatchObject({ ctx: 'auto', parallel: 4, ngl: 99, ttl: 600_000 });
    expect(model?.limits).toEqual({
      concurrent: 2,
      queueSize: 10,
      queueTimeout: 90_000,
      requestTimeout: 0,
      memory: 6 * 1024 ** 3,
    });
  });

  it.each([
    [{ path: '/far/a.gguf' }, { kind: 'file', path: '/far/a.gguf' }],
    [{ file: 'sub/a' }, { kind: 'file', path: '/models/sub/a.gguf' }],
    [{ file: '..a.gguf' }, { kind: 'file', path: '/models/..a.gguf' }],
    [{ hf: 'user/repo:Q4_K_M' }, { kind: 'hugging-face', repo: 'user/repo:Q4_K_M' }],
    [{ url: 'https://h/a.gguf?x' }, { kind: 'url', url: 'https://h/a.gguf?x', path: '/models/a.gguf' }],
    [
      { backends: ['http://h:1', { url: 'unix:/run/b.sock', keyFile: '/keys/b' }] },
      {
        kind: 'backends',
        backends: [
          { url: 'http://h:1', keyFile: undefined },
          { url: 'unix:/run/b.sock', keyFile: '/keys/b' },
        ],
      },
    ],
  ])('reads the source %j', (fields, source) => {
    expect(read([{ id: 'a', ...fields }]).models[0]?.source).toEqual(source);
  });

  it('finds the files beside a model in MODELS_DIR', () => {
    expect(read([{ ...chat, mmproj: 'eye.gguf', draft: '/d.gguf' }]).models[0]).toMatchObject({
      mmproj: '/models/eye.gguf',
      draft: '/d.gguf',
    });
  });

  it.each([
    [
      ['-fa', 'on'],
      ['-fa', 'on'],
    ],
    ['-ot "a b"', ['-ot', 'a b']],
  ])('reads the arguments %j', (args, words) => {
    expect(read([{ ...chat, args }]).models[0]?.args).toEqual(words);
  });

  it('keeps request defaults as they are', () => {
    const defaults = { temperature: 0.2, chat_template_kwargs: { enable_thinking: false } };
    expect(read([{ ...chat, defaults }]).models[0]?.defaults).toEqual(defaults);
  });

  it('reads aliases; a weight is 1 where none is given', () => {
    const previous = [{ model: 'chat', weight: 1 }];
    const canary = {
      name: 'latest',
      targets: [
        { model: 'chat', weight: 90 },
        { model: 'small', weight: 0.5 },
      ],
    };
    expect(
      read([chat, small], [canary, { name: 'stable', targets: [{ model: 'small' }], previous }]).aliases,
    ).toEqual([
      { ...canary, previous: null },
      { name: 'stable', targets: [{ model: 'small', weight: 1 }], previous },
    ]);
  });

  it.each(['qwen3-8b', 'Qwen/Qwen3-8B:Q4_K_M', 'é'])('accepts the name %s', (id) => {
    expect(read([{ ...chat, id }]).models[0]?.id).toBe(id);
  });

  it('may be empty', () => {
    expect(problemsOf('{"version":1}')).toEqual([]);
  });
});

describe('mistakes of the file', () => {
  it.each([
    ['{"version":1,', [/^is not valid JSON: .*\(line 1 column 14\)$/]],
    ['{"version":1,\n"models":[}', [/^is not valid JSON: Unexpected token '}'/]],
    ['[]', ['the file: invalid value []; expected a JSON object']],
    ['{}', ['version: is missing; expected 1']],
    ['{"version":2,"models":"elsewhere"}', [/^has version 2, but .* supports version 1: update/]],
    ['{"version":1,"model":[]}', ['model: unknown field; did you mean "models"?']],
    ['{"version":1,"models":{}}', ['models: invalid value {}; expected a list of models']],
    ['{"version":1,"models":[1]}', ['models[0]: invalid value 1; expected an object']],
  ])('%s', (text, expected) => {
    expect(problemsOf(text)).toEqual(
      expected.map((problem) => (typeof problem === 'string' ? problem : expect.stringMatching(problem))),
    );
  });
});

describe('mistakes of a model', () => {
  it.each([
    [{ id: undefined }, 'models[0].id: is missing; expected a name of at most 128 letters'],
    [{ id: 'a b' }, 'models[0].id: invalid value "a b"; expected a name'],
    [{ id: '../a' }, 'models[0].id: invalid value "../a"'],
    [{ id: 'a/..' }, 'models[0].id: invalid value "a/.."'],
    [{ file: undefined }, 'models[0]: has no source; set one of path, file, hf, url, backends'],
    [{ hf: 'u/r' }, 'models[0]: has file and hf; keep one of them'],
    [
      { file: '../x.gguf' },
      'models[0].file: invalid value "../x.gguf"; expected the name of a file in MODELS_DIR',
    ],
    [{ file: 'a/../../x' }, 'models[0].file: invalid value "a/../../x"'],
    [{ file: '/x.gguf' }, '"path" names a file elsewhere'],
    [
      { file: undefined, path: 'x.gguf' },
      'models[0].path: invalid value "x.gguf"; expected an absolute path',
    ],
    [
      { kind: 'embedding' },
      'models[0].kind: invalid value "embedding"; expected one of chat, embeddings, rerank',
    ],
    [{ ctx: 100 }, 'models[0].ctx: invalid value 100; expected "auto" or an integer ≥ 256'],
    [{ ctx: 1e9, parallel: 4 }, 'models[0].ctx: 1000000000 tokens in each of 4 slots exceed the 2147483647'],
    [{ parallel: 0 }, 'models[0].parallel: invalid value 0; expected "auto" or an integer from 1 to 256'],
    [{ ttl: 'soon' }, 'models[0].ttl: invalid value "soon"; expected a duration'],
    [{ pin: 'yes' }, 'models[0].pin: invalid value "yes"; expected true or false'],
    [{ args: '"' }, String.raw`models[0].args: invalid value "\""; expected a list of arguments`],
    [{ args: ['-c', '1'] }, 'models[0].args: -c is not allowed: use "ctx" instead'],
    [{ args: '--host 0.0.0.0' }, 'models[0].args: --host is not allowed: llama-server must be reachable'],
    [{ devices: [0, 0] }, 'models[0].devices: names a GPU twice'],
    [{ devices: [] }, 'models[0].devices: is empty; remove it to use all GPUs'],
    [{ devices: ['x'] }, 'models[0].devices[0]: invalid value "x"'],
    [{ kind: 'rerank', draft: 'd.gguf' }, 'models[0].draft: is for models of the kind chat only'],
    [
      { kind: 'rerank', adapters: { a: 'a.gguf' } },
      'models[0].adapters: is for models of the kind chat only',
    ],
    [{ adapters: ['a.gguf'] }, 'models[0].adapters: invalid value ["a.gguf"]; expected an object with names'],
    [{ adapters: { 'a:b': 'a.gguf' } }, 'models[0].adapters: invalid value'],
    [
      { adapters: { a: 'a.gguf' }, args: '--lora x' },
      'models[0].args: --lora cannot be used beside adapters',
    ],
    [{ speculate: 'fast' }, 'models[0].speculate: invalid value "fast"; expected one of auto, mtp'],
    [{ speculate: 'draft' }, 'models[0].speculate: "draft" needs a draft model; set draft'],
    [{ speculate: 'ngram', args: '--mtp' }, 'models[0].args: --mtp says the same as speculate'],
    [{ lora: {} }, 'models[0].lora: unknown field; did you mean "adapters"?'],
    [{ limits: { memory: 'lots' } }, 'models[0].limits.memory: invalid value "lots"; expected a size'],
    [{ limits: { concurent: 1 } }, 'models[0].limits.concurent: unknown field; did you mean "concurrent"?'],
    [{ ctx_size: 512 }, 'models[0].ctx_size: unknown field; did you mean "ctx"?'],
    [{ paralel: 2 }, 'models[0].paralel: unknown field; did you mean "parallel"?'],
    [{ colour: 'red' }, 'models[0].colour: unknown field; the fields are id, path, file'],
    [{ defaults: [] }, 'models[0].defaults: invalid value []; expected an object with fields of a request'],
    [{ defaults: { messages: [] } }, 'models[0].defaults.messages: only clients can set this; remove it'],
    [{ file: undefined, backends: [] }, 'models[0].backends: is empty; name at least one URL'],
    [
      { file: undefined, backends: ['https://h'] },
      'models[0].backends[0].url: invalid value "https://h"; expected http://host:port or unix:/path.sock',
    ],
    [
      { file: undefined, backends: [{ url: 'http://h', key: 'x' }] },
      'models[0].backends[0].key: unknown field; the fields are url, keyFile',
    ],
    [
      { file: undefined, backends: ['http://h'], pin: true },
      'models[0].pin: has no effect on backends that run elsewhere; remove it',
    ],
  ])('%j', (fields, expected) => {
    expect(mistakes([{ ...chat, ...fields }])).toEqual([expect.stringContaining(expected)]);
  });

  it('are all reported at once, each with its place', () => {
    const found = mistakes(
      [chat, { ...small, ctx: 1, nothing: 2 }, { ...chat, ttl: true }],
      [{ name: 'small', targets: [{ model: 'chatt' }] }],
    );
    expect(found.map((problem) => problem.split(':', 1)[0])).toEqual([
      'models[1].ctx',
      'models[1].nothing',
      'models[2].ttl',
      'models[2].id',
      'aliases[0].name',
      'aliases[0].targets[0].model',
    ]);
  });
});

describe('a NUL character', () => {
  const file = 'a.gguf';
  it.each([
    ['path', { path: '/a\0.gguf' }],
    ['file', { file: 'a\0' }],
    ['url', { url: 'https://h/a\0.gguf' }],
    ['hf', { hf: 'user/repo\0' }],
    ['mmproj', { file, mmproj: 'b\0' }],
    ['draft', { file, draft: 'b\0' }],
    ['adapters', { file, adapters: { a: 'b\0' } }],
    ['backends[0].url', { backends: ['http://h:1/\0'] }],
    ['backends[0].keyFile', { backends: [{ url: 'http://h:1', keyFile: '/k\0' }] }],
  ])('is refused in %s', (place, fields) => {
    expect(mistakes([{ id: 'a', ...fields }])).toEqual([
      expect.stringContaining(`models[0].${place}: invalid value`),
    ]);
  });
});

describe('mistakes of names', () => {
  const alias = (fields: object) => ({ name: 'latest', targets: [{ model: 'chat' }], ...fields });

  it.each<[string, readonly object[], string]>([
    [
      'an alias like a model',
      [alias({ name: 'chat' })],
      'aliases[0].name: "chat" is already the name of models[0].id',
    ],
    [
      'two like each other',
      [alias({}), alias({})],
      'aliases[1].name: "latest" is already the name of aliases[0].name',
    ],
    [
      'no targets',
      [alias({ targets: undefined })],
      'aliases[0].targets: is missing; expected a list of targets',
    ],
    ['empty targets', [alias({ targets: [] })], 'aliases[0].targets: is empty; name at least one model'],
    [
      'an unknown target',
      [alias({ targets: [{ model: 'smal' }] })],
      'aliases[0].targets[0].model: no model "smal"; did you mean "small"?',
    ],
    [
      'a target like no model',
      [alias({ targets: [{ model: 'else' }] })],
      'aliases[0].targets[0].model: no model "else"; the models are chat, small, vectors',
    ],
    [
      'an alias as target',
      [alias({ targets: [{ model: 'stable' }] }), alias({ name: 'stable' })],
      'aliases[0].targets[0].model: "stable" is an alias; name the model it stands for',
    ],
    [
      'a target twice',
      [alias({ targets: [{ model: 'chat' }, { model: 'chat', weight: 2 }] })],
      'aliases[0].targets[1].model: "chat" is named twice; add up the weights',
    ],
    [
      'a negative weight',
      [alias({ targets: [{ model: 'chat', weight: -1 }] })],
      'aliases[0].targets[0].weight: invalid value -1; expected a number ≥ 0',
    ],
    [
      'weights without a sum',
      [
        alias({
          targets: [
            { model: 'chat', weight: 0 },
            { model: 'small', weight: 0 },
          ],
        }),
      ],
      'aliases[0].targets: the weights add up to 0; give at least one model a weight above 0',
    ],
    [
      'models of two kinds',
      [alias({ targets: [{ model: 'chat' }, { model: 'vectors' }] })],
      'aliases[0].targets: has models of the kinds chat and embeddings; an alias has one kind',
    ],
    [
      'previous targets that are gone',
      [alias({ previous: [{ model: 'gone' }] })],
      'aliases[0].previous[0].model: no model "gone"; the models are chat, small, vectors, or set previous to null',
    ],
    [
      'an unknown field of a target',
      [alias({ targets: [{ model: 'chat', weights: 2 }] })],
      'aliases[0].targets[0].weights: unknown field; did you mean "weight"?',
    ],
  ])('%s', (_, aliases, expected) => {
    const vectors = { id: 'vectors', file: 'v.gguf', kind: 'embeddings' };
    expect(mistakes([chat, small, vectors], aliases)).toEqual([expect.stringContaining(expected)]);
  });

  it('two models with one id', () => {
    expect(mistakes([chat, { ...small, id: 'chat' }])).toEqual([
      'models[1].id: "chat" is already the name of models[0].id; rename one',
    ]);
  });
});
