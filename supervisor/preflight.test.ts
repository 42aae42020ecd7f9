import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { freePort } from '../test/harness/free-port.ts';
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

async function check(env: Record<string, string>, question: Partial<PreflightOptions> = {}) {
  const { settings } = readSettings({
    MODEL_PATH: join(folder, 'my-model.gguf'),
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    PORT_HEALTH: String(await freePort()),
    ...env,
  });
  return preflight({ settings, engine, env: {}, ...question });
}

async function problemsOf(...[env, question]: Parameters<typeof check>) {
  const result = await check(env, question);
  return result.ok ? [] : result.problems;
}

describe('preflight', () => {
  it('hands over every setting as decided where nothing is wrong', async () => {
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

  it('names a port that is in use, and not the one that we hold ourselves', async () => {
    const inUse = `port ${heldPort} on 127.0.0.1 is in use; stop the process that listens there or choose another port`;
    expect(await problemsOf({ PORT: String(heldPort) })).toEqual([`PORT: ${inUse}`]);
    expect(await problemsOf({ PORT_BACKEND: String(heldPort) })).toEqual([`PORT_BACKEND: ${inUse}`]);
    expect(await problemsOf({ PORT_HEALTH: String(heldPort) })).toEqual([`PORT_HEALTH: ${inUse}`]);
    expect(await problemsOf({ PORT_HEALTH: String(heldPort) }, { ownsHealthPort: true })).toEqual([]);
  });

  it.each([true, false])(
    'names two variables with one port, and nobody else who is in its way (ours: %s)',
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
  ])('names a context that llama-server cannot count: %j', async (env) => {
    expect(await problemsOf(env)).toEqual([expect.stringMatching(/^CTX: .* lower CTX or PARALLEL$/)]);
    expect(await problemsOf({ CTX: '2147483647', PARALLEL: '1' })).toEqual([]);
  });

  it('names a host that this machine does not have', async () => {
    expect(await problemsOf({ HOST: '203.0.113.7' })).toContainEqual(
      'PORT: HOST 203.0.113.7 is not an address of this machine',
    );
  });

  it('lets nobody in without a key from outside unless that is confirmed', async () => {
    const open = { AUTH_ENABLED: 'false', HOST: '0.0.0.0' };
    expect(await problemsOf(open)).toEqual([expect.stringContaining('ALLOW_UNAUTHENTICATED=true')]);
    expect(await problemsOf({ ...open, ALLOW_UNAUTHENTICATED: 'true' })).toEqual([]);
    expect(await problemsOf({ ...open, HOST: '127.0.0.1' })).toEqual([]);
  });

  it('names a missing engine with the reason that its caller knows', async () => {
    const engineProblem = 'llama-server could not be fetched: no network';
    expect(await problemsOf({}, { engine: undefined, engineProblem })).toEqual([engineProblem]);
  });

  it('makes a data folder, and names one that cannot be made instead of trying for ever', async () => {
    expect(await problemsOf({ DATA_DIR: join(folder, 'some', 'where') })).toEqual([]);
    const problems = await problemsOf({
      DATA_DIR: '/proc/nowhere',
      MODEL_PATH: join(folder, 'my-model.gguf'),
    });
    expect(problems).toEqual([expect.stringMatching(/^DATA_DIR: \/proc\/nowhere is not writable/)]);
  });

  it('lets both ports be the choice of the system', async () => {
    expect(await problemsOf({ PORT: '0', PORT_HEALTH: '0' })).toEqual([]);
  });

  it('names an open quote, a missing projector and earlier problems together', async () => {
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
