import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerStoreMetrics, type StoreReadings } from './store-metrics.ts';

const statistics = {
  batches: {
    ...{ validating: 0, in_progress: 2, finalizing: 0, cancelling: 0 },
    ...{ completed: 7, failed: 1, expired: 0, cancelled: 0 },
  },
  paused: 1,
  lines: { completed: 900, failed: 3, expired: 0, cancelled: 20 },
  responses: 12,
  conversations: 3,
  background: { queued: 1, in_progress: 2, completed: 4, incomplete: 0, failed: 0, cancelled: 0 },
  ...{ inputTokens: 5000, outputTokens: 70_000, bytes: 1024, maxBytes: 4096 },
};

async function pageOf(readings: StoreReadings): Promise<string> {
  const registry = new Registry();
  registerStoreMetrics(registry, readings);
  const page = await registry.metrics();
  return page
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}

describe('the metrics of the store', () => {
  it('show batches, lines, tokens and sizes', async () => {
    const page = await pageOf({ store: statistics, supervisor: { runnerUp: true } });
    for (const line of [
      'corral_batches{status="in_progress"} 2',
      'corral_batches{status="completed"} 7',
      'corral_batches_paused 1',
      'corral_batch_lines_total{result="completed"} 900',
      'corral_batch_lines_total{result="cancelled"} 20',
      'corral_batch_tokens_total{tokens="input"} 5000',
      'corral_batch_tokens_total{tokens="output"} 70000',
      'corral_stored_responses 12',
      'corral_background_responses{status="queued"} 1',
      'corral_background_responses{status="cancelled"} 0',
      'corral_stored_conversations 3',
      'corral_store_bytes 1024',
      'corral_store_limit_bytes 4096',
      'corral_runner_up 1',
    ])
      expect(page.split('\n')).toContain(line);
  });

  it('show that the runner is down while the store cannot be read', async () => {
    const page = await pageOf({ store: undefined, supervisor: { runnerUp: false } });
    expect(page.trim()).toBe('corral_runner_up 0');
  });

  it('are not there without a store', async () => {
    expect((await pageOf({ store: undefined, supervisor: {} })).trim()).toBe('');
  });
});
