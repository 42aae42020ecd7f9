import { expect, it } from 'vitest';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { type BatchDeployment, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { isRunning, newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const count = 400;
const victims = ['engine', 'runner', 'gateway', 'supervisor', 'runner', 'engine', 'supervisor'] as const;

async function kill(product: BatchDeployment, victim: (typeof victims)[number]): Promise<void> {
  if (victim === 'supervisor') {
    const children = product.deployment.children();
    product.deployment.process.kill('SIGKILL');
    await product.deployment.exitCode();
    await waitFor('the children to end', () => !children.some(isRunning));
    return;
  }
  const pid = await waitFor(`the ${victim}`, () => product.pidOf(victim));
  killProcess(pid, 'SIGKILL');
  await waitFor('its end', () => !isRunning(pid));
}

it('whatever is killed, each line has exactly one result, with the exact text', async () => {
  const folder = newFolder();
  let product = await startBatchRunner({ folder });
  try {
    const batch = await createBatchOfLines(product.store, chatLines(count));
    const completed = () => currentBatch(product.store, batch).counts.completed;
    for (const victim of victims) {
      // The batch goes on while this process waits for the CPU: the last kills may find little left.
      const enough = Math.min(completed() + 20, count);
      await waitFor('some progress', () => completed() >= enough);
      await kill(product, victim);
      if (victim !== 'supervisor') continue;
      product.store[Symbol.dispose]();
      product = await startBatchRunner({ folder });
    }
    const ended = await untilEnded(product.store, batch);
    expect(ended).toMatchObject({ status: 'completed', counts: { completed: count, failed: 0 } });
    const results = await allResults(product.store, ended);
    expect(results.map(({ custom_id }) => custom_id)).toEqual(
      chatLines(count).map(({ custom_id }) => custom_id),
    );
    expect(results.map(chatTextOf)).toEqual(results.map((_, n) => storyOf(n).text));
  } finally {
    await product[Symbol.asyncDispose]();
  }
});
