import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

describe('a model that cannot load ends the house with exit code 3', () => {
  it.each([
    ['debug', 'WARN  llama-server: srv    load_model'],
    ['error', 'ERROR supervisor: llama-server output: 0.00.011.717 E srv    load_model'],
  ])('at once where llama-server says that it is no use, each line told once at %s', async (level, words) => {
    await using house = await startDeployment({ scenario: 'crash', env: { LOG_LEVEL: level } });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toContain(`${words}: failed to load model, 'crash.gguf'`);
    expect(house.output().split('failed to load model')).toHaveLength(2);
    const [record = ''] = readdirSync(join(house.folder, 'data/crashes'));
    expect(house.output().trimEnd().split('\n').at(-1)).toMatch(
      new RegExp(
        `ERROR supervisor: giving up on llama-server at its first start \\(bad-model\\): the model file cannot be loaded: .*; details: .*/crashes/${record}; exit status 3$`,
      ),
    );
    expect(house.output().split('the model file cannot be loaded')).toHaveLength(2);
    expect(house.output()).not.toContain('restarting llama-server');
  });

  it('at once where its libraries are missing, the commonest fault of one of our own', async () => {
    const folder = newFolder();
    const program = join(folder, 'llama-server');
    const words = 'error while loading shared libraries: libcuda.so.1: cannot open shared object file';
    writeFileSync(program, `#!/bin/sh\necho "llama-server: ${words}" >&2\nexit 127\n`, { mode: 0o755 });
    await using house = await startDeployment({ folder, env: { LLAMA_SERVER_BIN: program } });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toMatch(
      /giving up on llama-server at its first start \(not-startable\): .*\(ldd\).*\n$/,
    );
    expect(house.output()).toContain(words);
  });

  it('at once where an argument is not taken, which is quoted last', async () => {
    await using house = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: { EXTRA_ARGS: '--temp 0 --went-away' },
    });
    expect(await house.exitCode()).toBe(3);
    expect(house.output().trimEnd().split('\n').at(-1)).toMatch(
      /\(bad-arguments\): “.*--went-away.*”: .*EXTRA_ARGS, or use another build/,
    );
  });

  it('and after a row of crashes says as its last words how many they were, why, what helps and where more stands', async () => {
    await using house = await startDeployment({
      env: { RESTART_MAX_CRASHES: '2', RESTART_DELAY_MIN: '50ms' },
    });
    for (const count of [1, 2]) {
      await house.reachesStatus('ready');
      const engine = Number(
        execFileSync('pgrep', ['-P', String(house.process.pid), '-f', 'fake-llama-server']),
      );
      process.kill(engine, 'SIGSEGV');
      await waitFor(
        'its end',
        () => house.output().split('llama-server was terminated by SIGSEGV').length > count,
      );
    }
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toMatch(
      /ERROR supervisor: giving up on llama-server after 2 crashes in \d+ s \(segfault\): .* try another build, .*; details: .*\/crashes\/.*-llama-server\.json; exit status 3\n$/,
    );
  });

  it('after LOAD_TIMEOUT where it takes too long', async () => {
    await using house = await startDeployment({ scenario: 'deaf', env: { LOAD_TIMEOUT: '500ms' } });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toMatch(
      /giving up: the model did not load within LOAD_TIMEOUT; .*; exit status 3\n$/,
    );
  });

  it('where llama-server comes up as a router, which has no model of its own', async () => {
    await using house = await startDeployment({ scenario: 'router' });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toContain('llama-server started in router mode and serves no model itself');
    expect(house.output()).not.toMatch(/status: ready|test token/);
  });
});
