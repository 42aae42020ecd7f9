import { existsSync, globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  isRunning,
  type Scenario,
  sendSecondSignal,
  startDeployment,
} from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const noneRuns = (pids: readonly number[]) => waitFor('the children to end', () => !pids.some(isRunning));

describe('nothing outlives the house', () => {
  it('when it is asked to end: exit code 0, and no trace is left', async () => {
    await using house = await startDeployment();
    await house.reachesStatus('ready');
    const children = house.children();
    expect(children).toHaveLength(2);
    house.process.kill('SIGTERM');
    expect(await house.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(globSync('corral-*', { cwd: house.folder })).toEqual([]);
  });

  it('when it is killed', async () => {
    await using house = await startDeployment({ scenario: 'stubborn' });
    await house.reachesStatus('ready');
    const children = house.children();
    house.process.kill('SIGKILL');
    await noneRuns(children);
    expect(children).toHaveLength(2);
  });

  it.each<Scenario>(['slow', 'deaf'])(
    'when it is asked to end while llama-server is %s',
    async (scenario) => {
      await using house = await startDeployment({ scenario });
      await waitFor('both children', () => house.children().length === 2);
      const children = house.children();
      house.process.kill('SIGTERM');
      expect(await house.exitCode()).toBe(0);
      expect(children.filter(isRunning)).toEqual([]);
      expect(house.output()).not.toMatch(/llama-server (was terminated|exited)/);
    },
  );

  it('when llama-server is stubborn and a second signal hurries', async () => {
    await using house = await startDeployment({ scenario: 'stubborn' });
    await house.reachesStatus('ready');
    const children = house.children();
    house.process.kill('SIGTERM');
    await house.reachesStatus('draining');
    await sendSecondSignal();
    house.process.kill('SIGINT');
    expect(await house.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('and what a killed one left does not block the next', async () => {
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
