import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { modelsCommand } from './models-command.ts';

const unset = {
  MODELS_FILE: undefined,
  MODELS_DIR: undefined,
  CORRAL_API_KEY: undefined,
  OPENAI_API_KEY: undefined,
};

/** `corral models …` inside the process of the test, in this data directory. */
function corralModelsIn(folder: TemporaryFolder, more: Record<string, string> = {}) {
  const env = { ...unset, DATA_DIR: folder.path, ...more };
  return (...args: string[]) => runInProcess(modelsCommand(), args, env);
}

const contentOf = async (folder: TemporaryFolder) =>
  JSON.parse(await readFile(folder.file('models.json'), 'utf8'));

describe('corral models add', () => {
  it('writes what is given, numbers as such', async () => {
    await using folder = await temporaryFolder();
    const models = corralModelsIn(folder);
    const fields = [
      '--ctx',
      '8192',
      '--ttl',
      '5m',
      '--memory',
      '6GiB',
      '--devices',
      '0,1',
      '--unlisted',
      '--pin',
    ];
    const defaults = ['--default', 'temperature=0.2', '--default', 'chat_template_kwargs={"thinking":false}'];
    const added = await models('add', 'a', '--hf', 'u/r', ...fields, ...defaults, '--json');
    expect(added).toMatchObject({ status: 0, stderr: `Added model "a" to ${folder.file('models.json')}.` });
    const record = {
      id: 'a',
      hf: 'u/r',
      ctx: 8192,
      pin: true,
      ttl: '5m',
      devices: [0, 1],
      limits: { memory: '6GiB' },
      listed: false,
      defaults: { temperature: 0.2, chat_template_kwargs: { thinking: false } },
    };
    expect(JSON.parse(added.stdout)).toEqual(record);
    await models('add', 'b', '--backend', 'http://h:1', '--backend', 'http://h:2');
    expect(await contentOf(folder)).toEqual({
      version: 1,
      models: [record, { id: 'b', backends: ['http://h:1', 'http://h:2'] }],
      aliases: [],
    });
  });

  it('reports all mistakes and changes nothing', async () => {
    await using folder = await temporaryFolder();
    const outcome = await corralModelsIn(folder)('add', 'a b', '--model-file', '../x', '--ctx', '1');
    expect(outcome.status).toBe(1);
    for (const place of ['models[0].id:', 'models[0].file:', 'models[0].ctx:'])
      expect(outcome.stderr).toContain(place);
    await expect(contentOf(folder)).rejects.toThrow('ENOENT');
  });

  it('uses MODELS_FILE, or the file that is named', async () => {
    await using folder = await temporaryFolder();
    const models = corralModelsIn(folder, { MODELS_FILE: folder.file('a/models.json') });
    await models('add', 'a', '--hf', 'u/r');
    await models('add', 'b', '--hf', 'u/r', '--file', folder.file('b.json'));
    expect((await models('list')).stdout).toContain('a ');
    expect((await models('show', 'b', '--file', folder.file('b.json'), '--json')).stdout).toContain(
      '"hf": "u/r"',
    );
  });
});

it('--file is the list of the models, not the file of one', async () => {
  await using folder = await temporaryFolder();
  const added = await corralModelsIn(folder)('add', 'a', '--file', 'a.gguf');
  expect(added.status).toBe(2);
  expect(added.stderr).toContain(
    '--file names the list of the models, such as models.json, but a.gguf is a model file; name it with --model-file',
  );
});

describe('corral models', () => {
  it('lists and shows models with their estimated memory', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('models'));
    await copyFile(inject('demoModel'), folder.file('models/demo.gguf'));
    const models = corralModelsIn(folder, { CTX: '4096', PARALLEL: '2' });
    expect((await models('list')).stderr).toContain('Add one with "corral models add ID --model-file NAME"');
    await models('add', 'demo', '--model-file', 'demo');
    await models('add', 'other', '--hf', 'u/r', '--pin');
    await models('alias', 'latest', 'demo=90', 'other=10');
    const { stdout, stderr } = await models('list');
    expect(stdout).toMatch(/^ID +KIND +STATUS +MEMORY +PIN +SOURCE$/m);
    expect(stdout).toMatch(/^demo +chat +- +~45\.\d MiB +- +\S+\/models\/demo\.gguf$/m);
    expect(stdout).toMatch(/^other +chat +- +- +yes +u\/r$/m);
    expect(stdout).toMatch(/^latest +demo 90 %, other 10 % +-$/m);
    expect(stderr).toBe(`2 models and 1 alias in ${folder.file('models.json')}`);
    const shown = (await models('show', 'demo')).stdout;
    expect(shown).toMatch(/^memory +about 45\.\d MiB .*KV cache 2\.0 MiB for 8192 tokens/m);
    expect(shown).toMatch(/^ctx +4096 \(CTX\)$/m);
    expect(shown).toMatch(/^aliases +latest$/m);
    expect(await models('show', 'dem')).toMatchObject({
      status: 1,
      stderr: 'error: no model "dem": did you mean "demo"?',
    });
  });

  it('pins, unpins and removes', async () => {
    await using folder = await temporaryFolder();
    const models = corralModelsIn(folder);
    await models('add', 'a', '--hf', 'u/r');
    expect(await models('pin', 'a')).toMatchObject({ status: 0, stderr: 'Model "a" pinned.' });
    expect((await contentOf(folder)).models).toEqual([{ id: 'a', hf: 'u/r', pin: true }]);
    expect((await models('unpin', 'a')).stderr).toBe('Model "a" unpinned.');
    expect((await contentOf(folder)).models).toEqual([{ id: 'a', hf: 'u/r' }]);
    await models('alias', 'latest', 'a');
    expect(await models('remove', 'a', '--yes')).toMatchObject({
      status: 1,
      stderr: 'error: the alias "latest" points at model "a": choose another model for it first',
    });
    await models('alias', 'latest', '--remove');
    expect((await models('remove', 'a', '--yes')).stderr).toContain('Removed model "a"');
    expect((await contentOf(folder)).models).toEqual([]);
  });

  it('names the alias whose change has a mistake', async () => {
    await using folder = await temporaryFolder();
    const models = corralModelsIn(folder);
    await models('add', 'chat', '--hf', 'u/r');
    await models('add', 'vectors', '--hf', 'u/r', '--kind', 'embeddings');
    for (const [targets, problem] of [
      [
        ['chat=0'],
        'alias "latest": targets: the weights add up to 0; give at least one model a weight above 0',
      ],
      [['chat', 'vectors'], 'alias "latest": targets: has models of the kinds chat and embeddings'],
    ] as const) {
      const { status, stderr } = await models('alias', 'latest', ...targets);
      expect([status, stderr]).toEqual([1, expect.stringContaining(problem)]);
    }
    expect((await contentOf(folder)).aliases).toEqual([]);
  });

  it('changes, promotes and rolls back an alias', async () => {
    await using folder = await temporaryFolder();
    const models = corralModelsIn(folder);
    for (const id of ['v1', 'v2']) await models('add', id, '--hf', 'u/r');
    expect((await models('alias', 'latest', 'v1')).stderr).toBe('Alias "latest" points at v1.');
    expect((await models('alias', 'latest', 'v1=95', 'v2=5')).stderr).toBe(
      'Alias "latest" points at v1 95 %, v2 5 %.',
    );
    expect((await models('promote', 'latest', '--to', 'v2')).stderr).toBe('Alias "latest" points at v2.');
    const back = await models('rollback', 'latest', '--json');
    expect(back.stderr).toBe('Alias "latest" points at v1.');
    expect(JSON.parse(back.stdout)).toEqual({
      name: 'latest',
      targets: [{ model: 'v1', weight: 95 }],
      previous: null,
    });
    expect(await models('rollback', 'latest')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('has nothing to roll back to'),
    });
  });

  it.each([
    [['alias', 'latest'], 'name the models of the alias'],
    [['alias', 'latest', 'a', '--remove'], '--remove takes no models'],
    [['alias', 'latest', 'a=-1'], 'the weight of a is "-1"; it must be a number ≥ 0'],
    [['promote', 'latest'], "required option '--to <id>' not specified"],
    [['add', 'a', '--default', 'x'], 'It must have the form name=value'],
    [['add', 'a', '--kind', 'image'], 'Allowed choices are chat, embeddings, rerank'],
  ])('%j is a usage error', async (args, message) => {
    await using folder = await temporaryFolder();
    expect(await corralModelsIn(folder)(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(message),
    });
  });
});

/** A gateway that gives one response to everything and notes what was asked. */
async function startGateway(status: number, body: unknown) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { seen, url, [Symbol.asyncDispose]: async () => void server.close() };
}

const failure = (message: string, code: string | null) => ({
  error: { message, type: 'x', param: null, code },
});

describe('with a running gateway', () => {
  it('load and unload call its routes with the key', async () => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway(202, { status: 'accepted' });
    await writeFile(folder.file('key'), 'sk-admin\n');
    const models = corralModelsIn(folder);
    const options = ['--gateway', `${gateway.url}/v1`, '--key-file', folder.file('key')];
    expect(await models('load', 'Qwen/Qwen3:Q4', ...options, '--json')).toEqual({
      status: 0,
      stdout: '{\n  "status": "accepted"\n}',
      stderr: 'Model "Qwen/Qwen3:Q4" is being loaded.',
    });
    await models('unload', 'a', ...options);
    expect(gateway.seen).toEqual([
      'POST /admin/models/Qwen%2FQwen3%3AQ4/load Bearer sk-admin',
      'POST /admin/models/a/unload Bearer sk-admin',
    ]);
  });

  it('list shows the status and the memory', async () => {
    await using folder = await temporaryFolder();
    const live = [
      { id: 'a', status: 'loading', loadProgress: 0.42, memory: null },
      { id: 'b', status: 'loaded', memory: 2 * 1024 ** 3 },
      { id: 'c', status: 'failed', failure: 'out-of-memory' },
    ];
    await using gateway = await startGateway(200, { models: live });
    const models = corralModelsIn(folder, { CORRAL_API_KEY: 'sk-admin' });
    for (const { id } of live) await models('add', id, '--hf', 'u/r');
    const { stdout } = await models('list', '--gateway', gateway.url);
    expect(gateway.seen).toEqual(['GET /admin/models Bearer sk-admin']);
    expect(stdout).toMatch(/^a +chat +loading 42 % +-/m);
    expect(stdout).toMatch(/^b +chat +loaded +2\.0 GiB/m);
    expect(stdout).toContain('failed (out-of-memory)');
    const [first] = JSON.parse((await models('list', '--gateway', gateway.url, '--json')).stdout).models;
    expect(first).toEqual({ id: 'a', hf: 'u/r', live: live[0] });
  });

  it.each([
    [401, failure('Incorrect API key', 'invalid_api_key'), 'wants a key with the scope admin (HTTP 401)'],
    [404, failure('Unknown URL', 'unknown_url'), 'has no routes for models (HTTP 404): it serves one model'],
    [404, failure('no model "a"', 'model_not_found'), 'responded with HTTP 404: no model "a"'],
    [409, failure('it is pinned', 'x'), 'responded with HTTP 409: it is pinned'],
    [500, 'broken', 'responded with HTTP 500'],
  ])('%d is explained', async (status, body, message) => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway(status, body);
    expect(await corralModelsIn(folder)('load', 'a', '--gateway', gateway.url)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(message),
    });
  });

  it('none at all is explained, and list goes on without it', async () => {
    await using folder = await temporaryFolder();
    await using gateway = await startGateway(200, {});
    await gateway[Symbol.asyncDispose]();
    const models = corralModelsIn(folder);
    await models('add', 'a', '--hf', 'u/r');
    expect((await models('load', 'a', '--gateway', gateway.url)).stderr).toContain(
      '(ECONNREFUSED); start it, or name it',
    );
    const listed = await models('list', '--gateway', gateway.url);
    expect(listed).toMatchObject({ status: 0, stdout: expect.stringMatching(/^a +chat/m) });
    expect(listed.stderr).toContain('The status is unknown: no gateway answers');
  });
});
