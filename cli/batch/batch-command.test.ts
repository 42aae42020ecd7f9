import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { batchCommand } from './batch-command.ts';

interface Call {
  readonly route: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Reply = { readonly status?: number; readonly body: unknown } | 'cut';

/** A gateway whose replies the test decides. The last one of a route is given again and again. */
async function startGateway(replies: Readonly<Record<string, readonly Reply[]>>) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    calls.push({ route, headers: request.headers, body: String(await buffer(request)) });
    const nth = calls.filter((call) => call.route === route).length - 1;
    const of = replies[route] ?? [{ status: 404, body: failure('Unknown URL', 'unknown_url') }];
    send(response, of[Math.min(nth, of.length - 1)] ?? 'cut');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const corral = (...args: string[]) =>
    runInProcess(batchCommand(), [...args, '--gateway', url], {
      CORRAL_API_KEY: 'sk-app',
      OPENAI_API_KEY: undefined,
      COST_PER_HOUR: undefined,
    });
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { calls, url, corral, close, [Symbol.asyncDispose]: close };
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply === 'cut') return void response.destroy();
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' }).end(text);
}

const failure = (message: string, code: string | null) => ({
  error: { message, type: 'x', param: null, code },
});

const batch = (changes: object = {}) => ({
  id: 'batch_1',
  object: 'batch',
  status: 'in_progress',
  endpoint: '/v1/chat/completions',
  model: 'demo',
  input_file_id: 'file-in',
  output_file_id: null,
  error_file_id: null,
  errors: null,
  reason: null,
  request_counts: { total: 2, completed: 1, failed: 0 },
  usage: { input_tokens: 30, output_tokens: 1200 },
  metadata: null,
  created_at: 1_800_000_000,
  in_progress_at: 1_800_000_001,
  expires_at: 1_800_086_400,
  ...changes,
});

const completed = (changes: object = {}) =>
  batch({
    status: 'completed',
    completed_at: 1_800_000_065,
    output_file_id: 'file-out',
    request_counts: { total: 2, completed: 2, failed: 0 },
    ...changes,
  });

const line = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';

async function withInput(text = line) {
  const folder = await temporaryFolder();
  await writeFile(folder.file('in.jsonl'), text);
  return { folder, file: folder.file('in.jsonl'), [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

describe('corral batch submit', () => {
  it('uploads the file and creates a batch with the endpoint of its first line', async () => {
    await using input = await withInput(`\n${line}`);
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': [{ body: batch() }],
    });
    expect(await gateway.corral('submit', input.file, '--metadata', 'a=1', '--metadata', 'b=x=y')).toEqual({
      status: 0,
      stdout: 'batch_1',
      stderr: 'To wait for it: corral batch show batch_1 --wait',
    });
    const [upload, create] = gateway.calls;
    expect(upload?.headers).toMatchObject({
      authorization: 'Bearer sk-app',
      'content-type': expect.stringMatching(/^multipart\/form-data; boundary=/),
    });
    const form = await new Response(upload?.body, {
      headers: { 'content-type': String(upload?.headers['content-type']) },
    }).formData();
    expect(form.get('purpose')).toBe('batch');
    const file = form.get('file') as File;
    expect([file.name, await file.text()]).toEqual(['in.jsonl', `\n${line}`]);
    expect(JSON.parse(create?.body ?? '')).toEqual({
      input_file_id: 'file-in',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { a: '1', b: 'x=y' },
    });
  });

  it('creates it again with the same idempotency key if the response is lost', async () => {
    await using input = await withInput();
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': ['cut', { body: batch() }],
    });
    expect(await gateway.corral('submit', input.file)).toMatchObject({ status: 0, stdout: 'batch_1' });
    const [first, second] = gateway.calls
      .filter(({ route }) => route === 'POST /v1/batches')
      .map(({ headers }) => headers['idempotency-key']);
    expect(first).toMatch(/^[\da-f-]{36}$/);
    expect(second).toBe(first);
  });

  it('deletes the file if the batch is rejected', async () => {
    await using input = await withInput();
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': [{ status: 400, body: failure('metadata must have at most 16 pairs', 'x') }],
      'DELETE /v1/files/file-in': [{ body: {} }],
    });
    expect(await gateway.corral('submit', input.file)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('HTTP 400: metadata must have at most 16 pairs'),
    });
    expect(gateway.calls.map(({ route }) => route)).toContain('DELETE /v1/files/file-in');
  });

  it('waits, saves the results and reports the end', async () => {
    await using input = await withInput();
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': [
        { body: batch({ status: 'validating', request_counts: { total: 0, completed: 0, failed: 0 } }) },
      ],
      'GET /v1/batches/batch_1': [
        'cut',
        { status: 503, body: failure('draining', 'draining') },
        { body: batch() },
        {
          body: completed({
            error_file_id: 'file-err',
            request_counts: { total: 2, completed: 1, failed: 1 },
          }),
        },
      ],
      'GET /v1/files/file-out/content': [{ body: 'answers\n' }],
      'GET /v1/files/file-err/content': [{ body: 'faults\n' }],
    });
    const [output, errors] = [input.folder.file('out.jsonl'), input.folder.file('err.jsonl')];
    expect(await gateway.corral('submit', input.file, '--output', output, '--errors', errors)).toEqual({
      status: 3,
      stdout: 'batch_1',
      stderr: [
        'validating',
        'in progress: 1 of 2 done',
        'completed: 2 of 2 done, 1 failed',
        'completed: 1 of 2 lines succeeded, 1 failed; 1,200 output tokens in 1m 05s; see them with: corral batch results batch_1 --errors',
      ].join('\n'),
    });
    expect(await readFile(output, 'utf8')).toBe('answers\n');
    expect(await readFile(errors, 'utf8')).toBe('faults\n');
  }, 20_000);

  it('says which lines are wrong when the batch fails', async () => {
    await using input = await withInput();
    const data = [1, 2, 3, 4, 5, 6, 7].map((number) => ({
      line: number,
      message: 'bad',
      code: 'x',
      param: null,
    }));
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': [{ body: batch({ status: 'failed', failed_at: 1_800_000_002, errors: { data } }) }],
    });
    const outcome = await gateway.corral('submit', input.file, '--wait', '--json');
    expect(outcome).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('line 5: bad\nand 2 more\nfailed: '),
    });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ id: 'batch_1', status: 'failed' });
  });

  it.each([
    ['not json\n', 'is no request such as {"custom_id": "a"'],
    ['', 'is empty'],
    ['{"url":"/v1/images"}\n', 'the url of the first line of'],
  ])('a file that begins with %j is a usage error', async (text, message) => {
    await using input = await withInput(text);
    await using gateway = await startGateway({});
    expect(await gateway.corral('submit', input.file)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(message),
    });
    expect(gateway.calls).toEqual([]);
  });

  it.each([
    [['submit', '/no/such/file'], '/no/such/file cannot be read (ENOENT)'],
    [['submit', '/dev/null'], '/dev/null is not a file'],
    [['submit', tmpdir()], 'is not a file'],
    [['submit', 'x', '--output', tmpdir()], 'is a folder: name a file in it'],
    [['submit', 'x', '--errors', '/no/such/folder/y'], 'cannot be written: /no/such/folder does not exist'],
    [['submit', 'x', '--output', 'y', '--errors', './y'], '--output and --errors are both y'],
    [['results', 'x', '--output', '/no/such/folder/y'], 'cannot be written: /no/such/folder does not exist'],
    [['show', ''], 'It must be the id of a batch'],
    [['results', ''], 'It must be the id of a batch'],
    [['cancel', ''], 'It must be the id of a batch'],
    [['submit', '/no/such/file', '--endpoint', '/v1/embeddings'], '/no/such/file cannot be read (ENOENT)'],
    [['submit', 'x', '--endpoint', '/v1/other'], 'Allowed choices are /v1/chat/completions'],
    [['submit', 'x', '--metadata', 'y'], 'It must have the form name=value'],
    [['list', '--limit', '0'], 'It must be an integer ≥ 1'],
  ])('%j is a usage error', async (args, message) => {
    await using gateway = await startGateway({});
    expect(await gateway.corral(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(message),
    });
    expect(gateway.calls).toEqual([]);
  });

  it('a first line without end is a usage error, and is not held in memory', async () => {
    await using input = await withInput('{');
    await truncate(input.file, 200 * 1024 ** 2);
    await using gateway = await startGateway({});
    expect(await gateway.corral('submit', input.file)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is longer than 64.0 MiB: each request has a line of its own'),
    });
  }, 60_000);

  it('results that cannot be saved in the end can be had again', async () => {
    await using input = await withInput();
    await using gateway = await startGateway({
      'POST /v1/files': [{ body: { id: 'file-in' } }],
      'POST /v1/batches': [{ body: completed() }],
      'GET /v1/files/file-out/content': ['cut'],
    });
    const output = input.folder.file('out.jsonl');
    expect(await gateway.corral('submit', input.file, '--output', output)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`try again with: corral batch results batch_1 --output ${output}`),
    });
  });
});

describe('corral batch list and show', () => {
  it('list shows one batch a line, and gets as many pages as it needs', async () => {
    const page = (data: unknown[], has_more: boolean) => ({ body: { object: 'list', data, has_more } });
    const others = Array.from({ length: 99 }, (_, n) => batch({ id: `batch_x${n}` }));
    await using gateway = await startGateway({
      'GET /v1/batches?limit=100': [page([completed(), ...others], true)],
      'GET /v1/batches?limit=50&after=batch_x98': [page([batch({ id: 'batch_last', reason: 'x' })], false)],
    });
    const { stdout } = await gateway.corral('list', '--limit', '150');
    expect(stdout).toMatch(/^ID +STATUS +DONE +FAILED +LINES +MODEL +CREATED$/m);
    expect(stdout).toMatch(/^batch_1 +completed +2 +0 +2 +demo +2027-01-15 08:00Z$/m);
    expect(stdout).toMatch(/^batch_last +in progress, paused +1 +0 +2/m);
  });

  it('show has the details, and the cost where the gateway shows its price', async () => {
    await using gateway = await startGateway({
      'GET /v1/batches/batch_1': [
        { body: completed({ metadata: { project: 'tales' }, in_progress_at: 1_800_000_029 }) },
      ],
      'GET /metrics': [{ body: '# HELP x\ncorral_cost_per_hour 2\n' }],
    });
    const { stdout, status } = await gateway.corral('show', 'batch_1');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^lines +2: 2 succeeded, 0 failed$/m);
    expect(stdout).toMatch(/^tokens +30 input, 1,200 output$/m);
    expect(stdout).toMatch(/^cost +at most 0\.0200$/m);
    expect(stdout).toMatch(/^metadata\.project +tales$/m);
    const metrics = gateway.calls.find(({ route }) => route === 'GET /metrics');
    expect(metrics?.headers.authorization).toBeUndefined();
  });
});

it.each([
  [
    'list',
    { 'GET /v1/batches?limit=20': (found: unknown) => ({ object: 'list', data: [found], has_more: false }) },
  ],
  ['show batch_1', { 'GET /v1/batches/batch_1': (found: unknown) => found }],
])('%s: what a batch contains does not move the cursor of a terminal', async (command, routes) => {
  const text = '\u001b[2Jred\u202e';
  const errors = { object: 'list', data: [{ code: 'x', line: 1, message: text, param: null }] };
  const found = batch({ status: 'failed', model: text, metadata: { [text]: text }, reason: text, errors });
  const replies = Object.entries(routes).map(([route, reply]) => [route, [{ body: reply(found) }]]);
  await using gateway = await startGateway(Object.fromEntries(replies));
  const { stdout } = await gateway.corral(...command.split(' '));
  expect(stdout).toContain('\\e[2Jred\\u202e');
  for (const unsafe of ['\u001b', '\u202e']) expect(stdout).not.toContain(unsafe);
});

describe('corral batch results and cancel', () => {
  it('results prints the lines that succeeded, or those that failed', async () => {
    await using gateway = await startGateway({
      'GET /v1/batches/batch_1': [{ body: completed() }],
      'GET /v1/files/file-out/content': [{ body: '{"custom_id":"a"}\n' }],
    });
    expect(await gateway.corral('results', 'batch_1')).toEqual({
      status: 0,
      stdout: '{"custom_id":"a"}',
      stderr: '',
    });
    expect(await gateway.corral('results', 'batch_1', '--errors')).toEqual({
      status: 0,
      stdout: '',
      stderr: 'batch_1 has no failed lines.',
    });
  });

  it('results of a batch that runs are an error', async () => {
    await using gateway = await startGateway({ 'GET /v1/batches/batch_1': [{ body: batch() }] });
    expect(await gateway.corral('results', 'batch_1')).toMatchObject({
      status: 1,
      stderr: 'error: batch_1 is in progress; to wait for its end: corral batch show batch_1 --wait',
    });
  });

  it('a download that breaks off leaves no file', async () => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway({
      'GET /v1/batches/batch_1': [{ body: completed() }],
      'GET /v1/files/file-out/content': ['cut'],
    });
    const path = folder.file('out.jsonl');
    expect((await gateway.corral('results', 'batch_1', '--output', path)).status).toBe(1);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('cancel cancels', async () => {
    await using gateway = await startGateway({
      'POST /v1/batches/batch_1/cancel': [{ body: batch({ status: 'cancelling' }) }],
    });
    expect(await gateway.corral('cancel', 'batch_1')).toMatchObject({
      status: 0,
      stderr: 'batch_1 is being cancelled.',
    });
  });
});

describe('an error of the gateway is explained', () => {
  it.each([
    [401, failure('Incorrect API key', 'invalid_api_key'), 'wants a key with the scope batch (HTTP 401)'],
    [403, failure('x', 'insufficient_scope'), 'add "batch" to its scopes in keys.json'],
    [404, failure('x', 'store_disabled'), 'keeps no files and runs no batches: start it with STORE=on'],
    [
      404,
      failure('No batch batch_9.', 'batch_not_found'),
      'No batch batch_9: "corral batch list" shows those',
    ],
    [404, failure('Unknown URL', 'unknown_url'), 'has no routes for batches (HTTP 404): it is of an older'],
    [503, failure('the disk is busy', 'store_unavailable'), 'responded with HTTP 503: the disk is busy'],
    [500, 'broken', 'responded with HTTP 500'],
  ])('%d %j', async (status, body, message) => {
    await using gateway = await startGateway({ 'GET /v1/batches/batch_9': [{ status, body }] });
    expect(await gateway.corral('show', 'batch_9')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(message),
    });
  });

  it('none at all', async () => {
    await using gateway = await startGateway({});
    await gateway.close();
    expect((await gateway.corral('list')).stderr).toContain('(ECONNREFUSED); start it, or name it');
  });

  it.each(['localhost:8000', 'llm.example', 'ftp://llm.example', 'http://', ''])(
    '--gateway %j is a usage error',
    async (url) => {
      expect(await runInProcess(batchCommand(), ['list', '--gateway', url], {})).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('It must be a URL such as http://'),
      });
    },
  );
});

it('all commands take the id of a message batch', async () => {
  await using gateway = await startGateway({
    'GET /v1/batches/batch_1': [{ body: completed({ endpoint: '/v1/messages' }) }],
    'POST /v1/batches/batch_1/cancel': [{ body: batch({ status: 'cancelling' }) }],
    'GET /v1/files/file-out/content': [{ body: 'one\n' }],
    'GET /metrics': [{ body: '' }],
  });
  const { corral } = gateway;
  expect((await corral('show', 'msgbatch_1')).stdout).toMatch(/^status +completed$/m);
  expect((await corral('results', 'msgbatch_1')).status).toBe(0);
  expect(gateway.calls.at(-1)?.route).toBe('GET /v1/files/file-out/content');
  expect(await corral('results', 'msgbatch_1', '--errors')).toMatchObject({
    stderr: 'msgbatch_1 has no failed lines.',
  });
  expect(await corral('cancel', 'msgbatch_1')).toMatchObject({ stderr: 'msgbatch_1 is being cancelled.' });
});
