import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { storeConfig } from '../store/config.ts';
import { openStore } from '../store/store.ts';
import { freePort } from '../test/harness/free-port.ts';
import { storeFile } from '../test/harness/stored-batch.ts';
import { type PreflightOptions, preflight } from './preflight.ts';

let folder: string;
let holder: Server;
let heldPort: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  writeFileSync(join(folder, 'my-model.gguf'), 'GGUF');
  holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  heldPort = (holder.address() as AddressInfo).port;
});
afterEach(() => {
  holder.close();
  rmSync(folder, { recursive: true });
});

const engine = { command: process.execPath, args: [], origin: 'PATH' } as const;

async function check(env: Record<string, string>, options: Partial<PreflightOptions> = {}) {
  const { settings, problems } = readSettings({
    MODEL_PATH: join(folder, 'my-model.gguf'),
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    PORT_HEALTH: String(await freePort()),
    ...env,
  });
  const invalid = {
    settingsProblems: problems.map(({ message }) => message),
    invalidVariables: problems.map(({ variable }) => variable),
  };
  return preflight({ settings, engine, env: {}, ...invalid, ...options });
}

async function problemsOf(...[env, options]: Parameters<typeof check>) {
  const result = await check(env, options);
  return result.ok ? [] : result.problems;
}

describe('preflight', () => {
  it('returns every setting as finally decided if there is no problem', async () => {
    const result = await check({ PARALLEL: '2', EXTRA_ARGS: "--temp '0.5'" });
    expect(result).toMatchObject({
      ok: true,
      warnings: [],
      config: {
        host: '127.0.0.1',
        dataDir: folder,
        engine: { publicName: 'my-model', parallel: 2, extraArgs: ['--temp', '0.5'] },
        settings: { MODEL_ALIAS: ['my-model'], HOST: '127.0.0.1', DATA_DIR: folder },
      },
    });
  });

  it('reports a port that is in use, but not our own', async () => {
    const inUse = `port ${heldPort} on 127.0.0.1 is in use; stop the process that listens there or choose another port`;
    expect(await problemsOf({ PORT: String(heldPort) })).toEqual([`PORT: ${inUse}`]);
    expect(await problemsOf({ PORT_BACKEND: String(heldPort) })).toEqual([`PORT_BACKEND: ${inUse}`]);
    expect(await problemsOf({ PORT_HEALTH: String(heldPort) })).toEqual([`PORT_HEALTH: ${inUse}`]);
    expect(await problemsOf({ PORT_HEALTH: String(heldPort) }, { ownsHealthPort: true })).toEqual([]);
  });

  it.each([true, false])(
    'reports two variables with the same port, and only that conflict (ours: %s)',
    async (healthPortIsOurs) => {
      const one = String(heldPort);
      const both = (first: string, second: string) => [
        `${second} and ${first} are both ${one}; use a different port for each`,
      ];
      const ports = (...names: string[]) => Object.fromEntries(names.map((name) => [name, one]));
      const problems = (...names: string[]) =>
        problemsOf(ports(...names), { ownsHealthPort: healthPortIsOurs });
      expect(await problems('PORT', 'PORT_HEALTH')).toEqual(both('PORT', 'PORT_HEALTH'));
      expect(await problems('PORT', 'PORT_BACKEND')).toEqual(both('PORT', 'PORT_BACKEND'));
      expect(await problems('PORT_HEALTH', 'PORT_BACKEND')).toEqual(both('PORT_HEALTH', 'PORT_BACKEND'));
      expect(await problems('PORT', 'PORT_HEALTH', 'PORT_BACKEND')).toEqual([
        ...both('PORT', 'PORT_HEALTH'),
        ...both('PORT', 'PORT_BACKEND'),
      ]);
    },
  );

  it.each([
    { CTX: '2147483648', PARALLEL: '1' },
    { CTX: '1000000000', PARALLEL: '3' },
    { CTX: '600000000', PARALLEL: 'auto' },
  ])('reports a context that exceeds the limit of llama-server: %j', async (env) => {
    expect(await problemsOf(env)).toEqual([expect.stringMatching(/^CTX: .* lower CTX or PARALLEL$/)]);
    expect(await problemsOf({ CTX: '2147483647', PARALLEL: '1' })).toEqual([]);
  });

  it('reports a host that is not an address of this machine', async () => {
    expect(await problemsOf({ HOST: '203.0.113.7' })).toContainEqual(
      'PORT: HOST 203.0.113.7 is not an address of this machine',
    );
  });

  it('requires a confirmation for access from outside without a key', async () => {
    const open = { AUTH_ENABLED: 'false', HOST: '0.0.0.0' };
    expect(await problemsOf(open)).toEqual([expect.stringContaining('ALLOW_UNAUTHENTICATED=true')]);
    expect(await problemsOf({ ...open, ALLOW_UNAUTHENTICATED: 'true' })).toEqual([]);
    expect(await problemsOf({ ...open, HOST: '127.0.0.1' })).toEqual([]);
  });

  it('reports a missing engine with the reason given by its caller', async () => {
    const engineProblem = 'llama-server could not be fetched: no network';
    expect(await problemsOf({}, { engine: undefined, engineProblem })).toEqual([engineProblem]);
  });

  it('reports another key than that of the store, and changes nothing of an empty one', async () => {
    const [key, other] = ['a'.repeat(64), 'b'.repeat(64)];
    const store = (env: Record<string, string>) => problemsOf({ STORE: 'on', ...env });
    expect(await store({ STORE_KEY: key })).toEqual([]);
    const { settings } = readSettings({ DATA_DIR: folder, STORE_KEY: key });
    using opened = openStore(storeConfig(settings), { role: 'gateway' });
    expect(await store({ STORE_KEY: other })).toEqual([]);
    await storeFile(opened, 'text');
    expect(await store({ STORE_KEY: key })).toEqual([]);
    expect(await store({ STORE_KEY: other })).toEqual([
      expect.stringMatching(/is encrypted with another key: set STORE_KEY/),
    ]);
    expect(await store({})).toEqual([expect.stringMatching(/is encrypted: set STORE_KEY to its key/)]);
    expect(await problemsOf({})).toEqual([]);
  });

  it('creates a data folder, and reports one that cannot be created', async () => {
    expect(await problemsOf({ DATA_DIR: join(folder, 'some', 'where') })).toEqual([]);
    const problems = await problemsOf({
      DATA_DIR: '/proc/nowhere',
      MODEL_PATH: join(folder, 'my-model.gguf'),
    });
    expect(problems).toEqual([expect.stringMatching(/^DATA_DIR: \/proc\/nowhere is not writable/)]);
  });

  it('accepts ports chosen by the system', async () => {
    expect(await problemsOf({ PORT: '0', PORT_HEALTH: '0' })).toEqual([]);
  });

  it.each([
    ['MODEL_URL', { MODEL_URL: 'models.example/a.gguf', MODEL_PATH: '' }],
    ['HF_REPO', { HF_REPO: 'nobody', MODEL_PATH: '' }],
    ['REDIS_URL', { REDIS_URL: 'localhost:6379', RESPONSE_CACHE: 'redis' }],
  ])('does not report a variable as missing whose value is invalid: %s', async (name, env) => {
    expect(await problemsOf(env)).toEqual([expect.stringMatching(new RegExp(`^${name}: invalid value`))]);
  });

  it('reports what else is missing beside an invalid issuer', async () => {
    expect(await problemsOf({ OIDC_ISSUER: 'login.example' })).toEqual([
      expect.stringMatching(/^OIDC_ISSUER: invalid value/),
      expect.stringMatching(/^OIDC_AUDIENCE: not set/),
      expect.stringMatching(/^OIDC_CLAIMS_FILE: not set/),
    ]);
  });

  it('reports SPECULATE beside an argument that says the same, with several models too', async () => {
    const both = { SPECULATE: 'ngram', EXTRA_ARGS: '--spec-type draft-simple' };
    const problem = 'EXTRA_ARGS: --spec-type says the same as SPECULATE; remove one of them';
    expect(await problemsOf(both)).toEqual([problem]);
    const models = [{ id: 'a', backends: ['http://127.0.0.1:1'] }];
    writeFileSync(join(folder, 'models.json'), JSON.stringify({ version: 1, models, aliases: [] }));
    expect(await problemsOf({ ...both, MODEL_PATH: '' })).toEqual([problem]);
    expect(await problemsOf({ SPECULATE: 'ngram', MODEL_PATH: '' })).toEqual([]);
    expect(await problemsOf({ EXTRA_ARGS: both.EXTRA_ARGS, MODEL_PATH: '' })).toEqual([]);
  });

  it('reports an unterminated quote, a missing projector and earlier problems together', async () => {
    const problems = await problemsOf(
      { EXTRA_ARGS: "--grammar 'root", MMPROJ: join(folder, 'none.gguf') },
      { settingsProblems: ['CTX: wrong'] },
    );
    expect(problems).toEqual([
      'CTX: wrong',
      'EXTRA_ARGS: unterminated quote',
      `MMPROJ: ${folder}/none.gguf does not exist`,
    ]);
  });
});
