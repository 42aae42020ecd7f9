import { describe, expect, it } from 'vitest';
import { type EngineOptions, llamaArguments } from './llama-arguments.ts';

const socket = { origin: 'http://llama-server', socketPath: '/run/x/llama.sock' };
const plain: EngineOptions = {
  model: { kind: 'file', path: '/models/m.gguf' },
  publicName: 'm',
  ctx: 'auto',
  parallel: 'auto',
  ngl: 'auto',
  threads: 0,
  flashAttn: 'auto',
  cacheTypeK: undefined,
  cacheTypeV: undefined,
  mmproj: undefined,
  draftModel: undefined,
  keepaliveMs: 10_000,
  sleepIdleMs: undefined,
  extraArgs: [],
};
const lineFor = (options: Partial<EngineOptions>) =>
  llamaArguments({ ...plain, ...options }, socket).join(' ');

describe('llama-server is started', () => {
  it('on the socket, with the defaults of llama-server for unset options', () => {
    expect(lineFor({})).toBe(
      '--host /run/x/llama.sock -m /models/m.gguf --alias m --metrics --no-ui --sse-ping-interval 10',
    );
  });

  it('on a loopback port if one is given', () => {
    const args = llamaArguments(plain, { origin: 'http://127.0.0.1:8080', socketPath: undefined });
    expect(args.slice(0, 4)).toEqual(['--host', '127.0.0.1', '--port', '8080']);
  });

  it.each([
    [{ ctx: 4096, parallel: 3 } as const, '-np 3 -c 12288'],
    [{ ctx: 4096 } as const, '-np 4 -c 16384'],
    [{ parallel: 2 } as const, '-np 2 -kvu'],
  ])('with the context of one request times the slots: %j', (options, expected) => {
    expect(lineFor(options)).toContain(` --alias m ${expected} --metrics`);
  });

  it.each([
    [{ kind: 'hugging-face', repo: 'u/r:Q4_K_M' } as const, '-hf u/r:Q4_K_M'],
    [
      { kind: 'url', url: 'https://example.org/m.gguf', path: '/models/m.gguf' } as const,
      '-mu https://example.org/m.gguf -m /models/m.gguf',
    ],
  ])('to download the model itself: %j', (model, expected) => {
    expect(lineFor({ model })).toContain(` ${expected} --alias`);
  });

  it('with every option, EXTRA_ARGS last', () => {
    const line = lineFor({
      ngl: 99,
      threads: 6,
      flashAttn: 'on',
      cacheTypeK: 'q8_0',
      cacheTypeV: 'q4_0',
      mmproj: '/p.gguf',
      draftModel: '/d.gguf',
      keepaliveMs: 0,
      extraArgs: ['--temp', '0'],
    });
    expect(line).toContain('-ngl 99 -t 6 -fa on -ctk q8_0 -ctv q4_0 --mmproj /p.gguf -md /d.gguf');
    expect(line).toMatch(/--sse-ping-interval -1 --temp 0$/);
  });

  it('with a keep-alive of at least a second', () => {
    expect(lineFor({ keepaliveMs: 200 })).toContain('--sse-ping-interval 1');
  });

  it('with sleep if it is enabled, after at least a second', () => {
    expect(lineFor({ sleepIdleMs: 1500 })).toContain('--sleep-idle-seconds 2');
    expect(lineFor({ sleepIdleMs: 0 })).not.toContain('--sleep-idle-seconds');
  });

  it('with adapters that no request uses by default, and without a cache that would mix them', () => {
    const adapters = [
      { name: 'a', path: '/a.gguf' },
      { name: 'b', path: '/b.gguf' },
    ];
    const line = lineFor({ adapters, extraArgs: ['--cache-ram', '512'] });
    expect(line).toContain('--lora-scaled /a.gguf:0,/b.gguf:0');
    expect(line).toMatch(/--cache-ram 512 --cache-ram 0$/);
  });

  it('with the given limit of the prompt cache', () => {
    expect(llamaArguments(plain, socket, 512).join(' ')).toContain('--cache-ram 512');
    expect(llamaArguments(plain, socket, 0).join(' ')).toContain('--cache-ram 0');
    expect(lineFor({})).not.toContain('--cache-ram');
  });

  it.each([
    ...['--embeddings', '--embedding', '--rerank', '--reranking'].map((name) => ({
      ...{ args: [name], ctx: 4096, expected: '-b 4096 -ub 4096' },
    })),
    { args: ['--embeddings'], ctx: 'auto', expected: '-b 8192 -ub 8192' },
    { args: ['--embeddings', '-ub', '2048'], ctx: 4096, expected: '-b 4096' },
    { args: ['--embeddings', '--batch_size=1024'], ctx: 4096, expected: '-ub 4096' },
    { args: ['--embeddings', '-b', '64', '--ubatch-size', '64'], ctx: 4096, expected: '' },
    { args: ['--pooling', 'mean'], ctx: 4096, expected: '' },
  ] as const)('with batches for a whole input if it computes vectors: %j', (options) => {
    const { args, ctx, expected } = options;
    const line = lineFor({ ctx, extraArgs: args });
    const [ours = ''] = line.split('--metrics');
    expect((ours.match(/ -u?b \d+/g) ?? []).join('').trim()).toBe(expected);
  });
});
