import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { findForbiddenArguments, findStartOnlyArguments, splitWords } from './extra-arguments.ts';

const forbiddenOf = (...args: string[]) => findForbiddenArguments(args).map(({ argument }) => argument);

const tuning =
  '--temp 0.5 -ctxcp 8 --no-warmup --embeddings --pooling mean -ts 1,1 --chat-template chatml'.split(' ');

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
      '--log-file',
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
    ...['-dr', '--docker-repo', '--models-max', '--models-preset', '--no-models-autoload', '--log-disable'],
    '--no-prefill-assistant',
  ])('may not contain %s', (name) => {
    expect(forbiddenOf(name, 'value')).toEqual([name]);
    expect(forbiddenOf(`${name}=value`)).toEqual([name]);
  });

  it('may not contain them with underscores either, which llama-server accepts for dashes', () => {
    expect(forbiddenOf('--api_key', '--ssl_key_file')).toEqual(['--api_key', '--ssl_key_file']);
  });

  it.each(['-lv', '--verbosity', '--log-verbosity', '--log_verbosity'])(
    'may not silence errors by %s',
    (name) => {
      expect(forbiddenOf(name, '0')).toEqual([name]);
      expect(forbiddenOf(`${name}=-1`)).toEqual([name]);
      expect(forbiddenOf(name, '1', `${name}=4`)).toEqual([]);
    },
  );

  it('are rejected with the reason, but without the value', () => {
    expect(findForbiddenArguments(['--hf-token=hf_secret'])).toEqual([
      { argument: '--hf-token', reason: expect.stringContaining('HF_TOKEN') },
    ]);
  });

  it('may not contain presets that set a model and a port', () => {
    const presets = ['--gpt-oss-20b-default', '--fim-qwen-7b-default', '--embd-gemma-default'];
    expect(forbiddenOf(...presets)).toEqual(presets);
    expect(forbiddenOf('--spec-default')).toEqual([]);
  });

  it('may contain tuning arguments', () => {
    expect(forbiddenOf(...tuning)).toEqual([]);
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
    ...['-hfd', '-hfrd', '--hf-repo-draft', '--spec-draft-hf', '--spec_draft_hf', '-hff', '--hf-file'],
    ...['--mmproj', '--mmproj-url', '-md', '-v', '--verbose', '-lv', '--log_verbosity'],
  ])('may not contain %s', (name) => {
    expect(findStartOnlyArguments([name, 'value'])).toEqual([name]);
    expect(findStartOnlyArguments([`${name}=/etc/passwd`])).toEqual([name]);
  });

  it('may contain tuning arguments', () => {
    expect(findStartOnlyArguments(tuning)).toEqual([]);
  });

  it('may not contain any argument of this llama-server whose value is a file, a folder, an address or a repository', async () => {
    const { command, args } = inject('engine');
    const { stdout } = await promisify(execFile)(command, [...args, '--help'], { maxBuffer: 1 << 24 });
    const heads = stdout.split('\n').filter((line) => line.startsWith('-') && namesAPlace.test(line));
    const names = heads.flatMap((line) => line.match(/(?<=^|, +)-[\w-]+/g) ?? []);
    expect(names.length).toBeGreaterThan(20);
    const free = names.filter(
      (name) => forbiddenOf(name).length === 0 && findStartOnlyArguments([name]).length === 0,
    );
    expect(free).toEqual([]);
  });
});

/** The names of such values in its help. */
const namesAPlace =
  /^-[\w, -]* (<?\[?<?(FNAME|FILE|PATH|DIR|SERVERS|HOST)\b|\w*(URL|_FILE)\b|<user>|\[<repo>)/;

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  \n ', []],
    ['--temp 0.5', ['--temp', '0.5']],
    [`--chat-template-kwargs '{"a": "b c"}'`, ['--chat-template-kwargs', '{"a": "b c"}']],
    ['--grammar "root ::= \\"yes\\""', ['--grammar', 'root ::= "yes"']],
    ['a\\ b c', ['a b', 'c']],
    [`--x='one two'"three"`, ['--x=one twothree']],
    [`""`, ['']],
    [`"keep \\n"`, ['keep \\n']],
    ['$HOME *', ['$HOME', '*']],
  ])('splits %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it.each(["--x 'open", '--x "open', 'end\\', `a"b`])('returns undefined for %j', (line) => {
    expect(splitWords(line)).toBeUndefined();
  });
});
