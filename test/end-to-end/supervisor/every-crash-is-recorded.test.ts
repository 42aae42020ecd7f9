import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { crashFolder, readCrashes } from '../../../health/crash-records.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const dataDirOf = (deployment: RunningDeployment) => join(deployment.folder, 'data');
const restartsOf = async (deployment: RunningDeployment) =>
  (await deployment.status()).restarts as { engine: number; gateway: number };

/** Kills one child, and waits until it is replaced and the deployment is ready. */
async function killed(deployment: RunningDeployment, child: number, signal: NodeJS.Signals) {
  const before = await restartsOf(deployment);
  killProcess(child, signal);
  await waitFor('the restarted child', async () => {
    const { engine, gateway } = await restartsOf(deployment);
    return engine + gateway > before.engine + before.gateway;
  });
  await deployment.reachesStatus('ready');
}

/** The running fake engine, for a deployment that cannot record its children. */
const engineOf = (deployment: RunningDeployment) =>
  Number(execFileSync('pgrep', ['-P', String(deployment.process.pid), '-f', 'fake-llama-server']));

const secretsIn = (pid: number) =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((entry) => /^(LLAMA_API_KEY|BACKEND_API_KEY)=/.test(entry))
    .map((entry) => entry.slice(entry.indexOf('=') + 1));

describe('every crash is recorded', () => {
  it('in the log, in /status and in a file, with the time, process, exit, class, output and hint, but no secret', async () => {
    const secrets = ['sk-0123456789abcdef', 'hf_of_the_operator', 'the-redis-password'];
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: {
        HF_TOKEN: 'hf_of_the_operator',
        REDIS_URL: 'redis://:the-redis-password@127.0.0.1:1/0',
        RESTART_DELAY_MIN: '50ms',
      },
    });
    await deployment.reachesStatus('ready');
    await waitFor('the first token', () => deployment.output().includes('first token received'));
    const [engine = 0, gateway = 0] = deployment.children();
    secrets.push(...secretsIn(engine));
    const startedAt = new Date().toISOString();
    await killed(deployment, engine, 'SIGSEGV');
    await killed(deployment, gateway, 'SIGKILL');
    const [second, first] = await waitFor('two files', async () => {
      const crashes = await readCrashes(dataDirOf(deployment));
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
    expect(first?.at.localeCompare(startedAt)).toBeGreaterThanOrEqual(0);
    expect(second).toMatchObject({ who: 'gateway', class: 'killed', signal: 'SIGKILL', wasReady: true });
    const { lastCrash } = await deployment.status();
    expect(lastCrash).toMatchObject({ who: 'gateway', class: 'killed', cure: second?.cure });
    expect(JSON.stringify(await deployment.status())).not.toContain(sourceText('lastLines'));
    expect(deployment.output()).toContain(
      `llama-server was terminated by SIGSEGV (segfault: ${first?.cure})`,
    );
    const kept = readdirSync(crashFolder(dataDirOf(deployment)))
      .map((name) => readFileSync(join(crashFolder(dataDirOf(deployment)), name), 'utf8'))
      .concat(deployment.output(), JSON.stringify(await deployment.status()));
    expect(secrets).toHaveLength(4);
    expect(kept.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  });

  it('even the one that ends the process', async () => {
    await using deployment = await startDeployment({ scenario: 'crash' });
    expect(await deployment.exitCode()).toBe(3);
    expect(await readCrashes(dataDirOf(deployment))).toMatchObject([
      {
        class: 'bad-model',
        code: 1,
        wasReady: false,
        restartInMs: null,
        tellingLine: expect.stringContaining('crash.gguf'),
      },
    ]);
  });

  it('without the keys of API_KEYS in any format', async () => {
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
    await using deployment = await startDeployment({
      folder,
      env: { LLAMA_SERVER_BIN: program, API_KEYS, RESTART_DELAY_MIN: '50ms' },
    });
    expect(await deployment.exitCode()).toBe(3);
    const [crash] = await readCrashes(dataDirOf(deployment));
    expect(crash?.lastLines).toHaveLength(4);
    const everything = `${JSON.stringify(await readCrashes(dataDirOf(deployment)))}${deployment.output()}`;
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
    expect(everything).toContain('[secret] is here');
  });

  it('on a full disk at least in the log and in /status, with one warning', async () => {
    await using deployment = await startDeployment({ env: { RESTART_DELAY_MIN: '50ms' } });
    await deployment.reachesStatus('ready');
    // No file of this process and its children may grow any more.
    execFileSync('prlimit', ['--fsize=0', '--pid', String(deployment.process.pid)]);
    for (const _ of [1, 2]) await killed(deployment, engineOf(deployment), 'SIGKILL');
    expect(await deployment.status()).toMatchObject({
      restarts: { engine: 2, gateway: 0 },
      lastCrash: { who: 'llama-server', class: 'killed' },
    });
    expect(deployment.output().split('cannot write crash records')).toHaveLength(2);
    expect(await readCrashes(dataDirOf(deployment))).toEqual([]);
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
  });
});
