import { existsSync, globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sourceText } from '../../harness/source-text.ts';
import {
  isRunning,
  type Scenario,
  sendSecondSignal,
  startDeployment,
} from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** The log line of a crash of llama-server. */
const crash = new RegExp(
  `llama-server (${sourceText('was terminated by')}|${sourceText('exited with code')})`,
);
const noneRuns = (pids: readonly number[]) => waitFor('the children to end', () => !pids.some(isRunning));

describe('no child outlives the supervisor', () => {
  it('when it receives SIGTERM: exit code 0, and nothing is left', async () => {
    await using deployment = await startDeployment();
    await deployment.reachesStatus('ready');
    const children = deployment.children();
    expect(children).toHaveLength(2);
    deployment.process.kill('SIGTERM');
    expect(await deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(globSync('corral-*', { cwd: deployment.folder })).toEqual([]);
  });

  it('when it is killed', async () => {
    await using deployment = await startDeployment({ scenario: 'stubborn' });
    await deployment.reachesStatus('ready');
    const children = deployment.children();
    deployment.process.kill('SIGKILL');
    await noneRuns(children);
    expect(children).toHaveLength(2);
  });

  it.each<Scenario>(['slow', 'deaf'])(
    'when it receives SIGTERM while llama-server is %s',
    async (scenario) => {
      await using deployment = await startDeployment({ scenario });
      await waitFor('both children', () => deployment.children().length === 2);
      const children = deployment.children();
      deployment.process.kill('SIGTERM');
      expect(await deployment.exitCode()).toBe(0);
      expect(children.filter(isRunning)).toEqual([]);
      expect(deployment.output()).not.toMatch(crash);
    },
  );

  it('when llama-server ignores SIGTERM and a second signal forces the stop', async () => {
    await using deployment = await startDeployment({ scenario: 'stubborn' });
    await deployment.reachesStatus('ready');
    const children = deployment.children();
    deployment.process.kill('SIGTERM');
    await deployment.reachesStatus('draining');
    await sendSecondSignal();
    deployment.process.kill('SIGINT');
    expect(await deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('and the files of a killed supervisor do not block the next one', async () => {
    await using killed = await startDeployment();
    await killed.reachesStatus('ready');
    const [left] = globSync('corral-*', { cwd: killed.folder });
    killed.process.kill('SIGKILL');
    await killed.exitCode();
    expect(existsSync(`${killed.folder}/${left}/llama.sock`)).toBe(true);
    await using next = await startDeployment({ folder: killed.folder });
    await next.reachesStatus('ready');
    expect(globSync('corral-*', { cwd: next.folder })).not.toContain(left);
    expect(globSync('corral-*', { cwd: next.folder })).toHaveLength(1);
  });
});
