import { describe, expect, it } from 'vitest';
import { findRefusedArguments } from './refused-arguments.ts';

const refusedOf = (...args: string[]) => findRefusedArguments(args).map(({ argument }) => argument);

describe('EXTRA_ARGS', () => {
  it.each([
    ...[
      '--host',
      '--port',
      '--reuse-port',
      '--api-key',
      '--api-key-file',
      '--ssl-key-file',
      '--ssl-cert-file',
    ],
    ...['--tools', '--tools-runtime', '--agent', '-ag', '--ui-mcp-proxy', '--webui-mcp-proxy'],
    ...[
      '--mcp-servers-config',
      '--mcp-servers-json',
      '--props',
      '--slot-save-path',
      '--path',
      '--media-path',
    ],
    ...[
      '--log-prompts-dir',
      '--api-prefix',
      '--models-dir',
      '-m',
      '--model',
      '-hf',
      '-mu',
      '-hft',
      '-a',
      '-np',
    ],
  ])('may not carry %s', (name) => {
    expect(refusedOf(name, 'value')).toEqual([name]);
    expect(refusedOf(`${name}=value`)).toEqual([name]);
  });

  it('may not carry them with underscores either, which llama-server takes for dashes', () => {
    expect(refusedOf('--api_key', '--ssl_key_file')).toEqual(['--api_key', '--ssl_key_file']);
  });

  it('names each with its reason, without its value', () => {
    expect(findRefusedArguments(['--hf-token=hf_secret'])).toEqual([
      { argument: '--hf-token', why: expect.stringContaining('HF_TOKEN') },
    ]);
  });

  it('may carry what tunes the engine', () => {
    const tuning = [
      '--temp',
      '0.5',
      '-ctxcp',
      '8',
      '--no-mmap',
      '--embeddings',
      '--pooling',
      'mean',
      '-ts',
      '1,1',
    ];
    expect(refusedOf(...tuning)).toEqual([]);
  });
});
