import { describe, expect, it } from 'vitest';
import { findArgumentsOfTheStart, findRefusedArguments } from './refused-arguments.ts';

const refusedOf = (...args: string[]) => findRefusedArguments(args).map(({ argument }) => argument);

const tuning =
  '--temp 0.5 -ctxcp 8 --no-mmap --embeddings --pooling mean -ts 1,1 --chat-template chatml'.split(' ');

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

  it('may not carry what names a model and a port at once', () => {
    const presets = ['--gpt-oss-20b-default', '--fim-qwen-7b-default', '--embd-gemma-default'];
    expect(refusedOf(...presets)).toEqual(presets);
    expect(refusedOf('--spec-default')).toEqual([]);
  });

  it('may carry what tunes the engine', () => {
    expect(refusedOf(...tuning)).toEqual([]);
  });
});

describe('EXTRA_ARGS of a restart', () => {
  it.each([
    ...[
      '--chat-template-file',
      '--log-file',
      '--grammar-file',
      '--json-schema-file',
      '-jf',
      '--ui-config-file',
    ],
    ...['--lora', '--control-vector', '-lcd', '--lookup-cache-dynamic', '--video-ffmpeg-dir', '--rpc'],
    ...['--mmproj', '--mmproj-url', '-md', '-v', '--verbose', '-lv', '--log_verbosity'],
  ])('may not carry %s', (name) => {
    expect(findArgumentsOfTheStart([name, 'value'])).toEqual([name]);
    expect(findArgumentsOfTheStart([`${name}=/etc/passwd`])).toEqual([name]);
  });

  it('may carry what tunes the engine', () => {
    expect(findArgumentsOfTheStart(tuning)).toEqual([]);
  });
});
