import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { crashFolder, readCrashes } from '../../../health/crash-records.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const dataDirOf = (house: RunningDeployment) => join(house.folder, 'data');
const restartsOf = async (house: RunningDeployment) =>
  (await house.status()).restarts as { engine: number; gateway: number };

/** Kills one child, and waits until another is in its place and all is well. */
async function killed(house: RunningDeployment, child: number, signal: NodeJS.Signals) {
  const before = await restartsOf(house);
  process.kill(child, signal);
  await waitFor('the next', async () => {
    const { engine, gateway } = await restartsOf(house);
    return engine + gateway > before.engine + before.gateway;
  });
  await house.reachesStatus('ready');
}

/** The stand-in that runs, where the house can note none. */
const engineOf = (house: RunningDeployment) =>
  Number(execFileSync('pgrep', ['-P', String(house.process.pid), '-f', 'fake-llama-server']));

const secretsIn = (pid: number) =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((entry) => /^(LLAMA_API_KEY|BACKEND_API_KEY)=/.test(entry))
    .map((entry) => entry.slice(entry.indexOf('=') + 1));

describe('every crash is on record', () => {
  it('in the log, in /status and as a file: when, who, how, why, what was said, what helps, and no secret', async () => {
    const secrets = ['sk-0123456789abcdef', 'hf_of_the_operator', 'the-redis-password'];
    await using house = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: {
        HF_TOKEN: 'hf_of_the_operator',
        REDIS_URL: 'redis://:the-redis-password@127.0.0.1:1/0',
        RESTART_DELAY_MIN: '50ms',
      },
    });
    await house.reachesStatus('ready');
    await waitFor('the first token', () => house.output().includes('the first token came'));
    const [engine = 0, gateway = 0] = house.children();
    secrets.push(...secretsIn(engine));
    const begun = new Date().toISOString();
    await killed(house, engine, 'SIGSEGV');
    await killed(house, gateway, 'SIGKILL');
    const [second, first] = await waitFor('two files', async () => {
      const crashes = await readCrashes(dataDirOf(house));
      return crashes.length === 2 && crashes;
    });
    expect(first).toMatchObject({
      ...{ who: 'llama-server', class: 'segfault', code: null, signal: 'SIGSEGV', wasReady: true },
      cure: expect.stringContaining('report the lines to llama.cpp'),
      ranForMs: expect.any(Number),
      restartInMs: expect.any(Number),
      lastLines: expect.arrayContaining([expect.stringContaining('llama.sock')]),
      arguments: expect.arrayContaining(['--metrics', inject('demoModel')]),
      versions: { corral: expect.any(String), node: process.version, 'llama-server': expect.any(String) },
    });
    expect(first?.at.localeCompare(begun)).toBe(1);
    expect(second).toMatchObject({ who: 'gateway', class: 'killed', signal: 'SIGKILL', wasReady: true });
    const { lastCrash } = await house.status();
    expect(lastCrash).toMatchObject({ who: 'gateway', class: 'killed', cure: second?.cure });
    expect(JSON.stringify(await house.status())).not.toContain('lastLines');
    expect(house.output()).toContain(`llama-server was terminated by SIGSEGV (segfault: ${first?.cure})`);
    const kept = readdirSync(crashFolder(dataDirOf(house)))
      .map((name) => readFileSync(join(crashFolder(dataDirOf(house)), name), 'utf8'))
      .concat(house.output(), JSON.stringify(await house.status()));
    expect(secrets).toHaveLength(4);
    expect(kept.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  });

  it('also the one that ends the house', async () => {
    await using house = await startDeployment({ scenario: 'crash' });
    expect(await house.exitCode()).toBe(3);
    expect(await readCrashes(dataDirOf(house))).toMatchObject([
      {
        class: 'bad-model',
        code: 1,
        wasReady: false,
        restartInMs: null,
        tellingLine: expect.stringContaining('crash.gguf'),
      },
    ]);
  });

  it('without the keys of API_KEYS, in whatever form they stand there', async () => {
    const secrets = [
      'supersecretsecret123',
      'another9another9another9',
      'thirdthirdthird3333',
      'quoted-quoted-quoted',
    ];
    const [first, second, third, fourth] = secrets;
    const folder = newFolder();
    const program = join(folder, 'llama-server');
    writeFileSync(
      program,
      `#!/bin/sh\nfor secret in ${secrets.join(' ')}; do echo "error: $secret is here"; done\nexit 1\n`,
      { mode: 0o755 },
    );
    const API_KEYS = `app:${first}:60:2027-01-01T00:00:00Z, b : ${second}:60 ,c:${third},d:"${fourth}"`;
    await using house = await startDeployment({
      folder,
      env: { LLAMA_SERVER_BIN: program, API_KEYS, RESTART_DELAY_MIN: '50ms' },
    });
    expect(await house.exitCode()).toBe(3);
    const [crash] = await readCrashes(dataDirOf(house));
    expect(crash?.lastLines).toHaveLength(4);
    const told = `${JSON.stringify(await readCrashes(dataDirOf(house)))}${house.output()}`;
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
    expect(told).toContain('[secret] is here');
  });

  it('or, on a full disk, at least in the log and in /status, with one warning', async () => {
    await using house = await startDeployment({ env: { RESTART_DELAY_MIN: '50ms' } });
    await house.reachesStatus('ready');
    // No file of this process and of those it starts may grow any more.
    execFileSync('prlimit', ['--fsize=0', '--pid', String(house.process.pid)]);
    for (const _ of [1, 2]) await killed(house, engineOf(house), 'SIGKILL');
    expect(await house.status()).toMatchObject({
      restarts: { engine: 2, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'killed' },
    });
    expect(house.output().split('cannot write crash records')).toHaveLength(2);
    expect(await readCrashes(dataDirOf(house))).toEqual([]);
    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
  });
});
