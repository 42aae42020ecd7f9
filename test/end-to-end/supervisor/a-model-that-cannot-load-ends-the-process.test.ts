import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Logged in the test of repeated crashes, and in no other. */
const [becameReady, restarting] = ['status: ready', 'restarting llama-server'];

describe('a model that cannot load ends the process with exit code 3', () => {
  it.each([
    ['debug', 'WARN  llama-server: srv    load_model'],
    ['error', 'ERROR supervisor: llama-server output: 0.00.011.717 E srv    load_model'],
  ])('at once if llama-server rejects it, and each line is logged once at level %s', async (level, text) => {
    await using deployment = await startDeployment({ scenario: 'crash', env: { LOG_LEVEL: level } });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toContain(`${text}: failed to load model, 'crash.gguf'`);
    expect(deployment.output().split('failed to load model')).toHaveLength(2);
    const [record = ''] = readdirSync(join(deployment.folder, 'data/crashes'));
    expect(deployment.output().trimEnd().split('\n').at(-1)).toMatch(
      new RegExp(
        `ERROR supervisor: giving up on llama-server at its first start \\(bad-model\\): the model file cannot be loaded: .*; details: .*/crashes/${record}; exit status 3$`,
      ),
    );
    expect(deployment.output().split('the model file cannot be loaded')).toHaveLength(2);
    expect(deployment.output()).not.toContain(restarting);
  });

  it('at once if libraries of llama-server are missing', async () => {
    const folder = newFolder();
    const program = join(folder, 'llama-server');
    const text = 'error while loading shared libraries: libcuda.so.1: cannot open shared object file';
    writeFileSync(program, `#!/bin/sh\necho "llama-server: ${text}" >&2\nexit 127\n`, { mode: 0o755 });
    await using deployment = await startDeployment({ folder, env: { LLAMA_SERVER_BIN: program } });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toMatch(
      /giving up on llama-server at its first start \(not-startable\): .*\(ldd\).*\n$/,
    );
    expect(deployment.output()).toContain(text);
  });

  it('at once if an argument is rejected, which the last line quotes', async () => {
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: { EXTRA_ARGS: '--temp 0 --went-away' },
    });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output().trimEnd().split('\n').at(-1)).toMatch(
      /\(bad-arguments\): “.*--went-away.*”: .*EXTRA_ARGS and SPECULATE, or use another build/,
    );
  });

  it('after repeated crashes, and the last line says how many, why, what helps and where the details are', async () => {
    await using deployment = await startDeployment({
      env: { RESTART_MAX_CRASHES: '2', RESTART_DELAY_MIN: '50ms' },
    });
    for (const count of [1, 2]) {
      await deployment.reachesStatus('ready');
      const engine = Number(
        execFileSync('pgrep', ['-P', String(deployment.process.pid), '-f', 'fake-llama-server']),
      );
      killProcess(engine, 'SIGSEGV');
      await waitFor(
        'the crash to be logged',
        () => deployment.output().split('llama-server was terminated by SIGSEGV').length > count,
      );
    }
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toContain(becameReady);
    expect(deployment.output()).toContain(restarting);
    expect(deployment.output()).toMatch(
      /ERROR supervisor: giving up on llama-server after 2 crashes in \d+ s \(segfault\): .* try another build, .*; details: .*\/crashes\/.*-llama-server\.json; exit status 3\n$/,
    );
  });

  it('after LOAD_TIMEOUT if it loads too long', async () => {
    await using deployment = await startDeployment({ scenario: 'deaf', env: { LOAD_TIMEOUT: '500ms' } });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toMatch(
      /giving up: the model did not load within LOAD_TIMEOUT; .*; exit status 3\n$/,
    );
  });

  it('if llama-server starts as a router, which serves no model itself', async () => {
    await using deployment = await startDeployment({ scenario: 'router' });
    expect(await deployment.exitCode()).toBe(3);
    expect(deployment.output()).toContain('llama-server started in router mode and serves no model itself');
    expect(deployment.output()).not.toContain(becameReady);
    expect(deployment.output()).not.toContain(sourceText('did not generate a test token'));
  });
});
