import { describe, expect, it } from 'vitest';
import type { ModelReport } from '../../health/supervisor-status.ts';
import { parseRegistry } from '../../models/parse-registry.ts';
import { checkRunningModels } from './check-running-models.ts';

const running = (id: string, status: ModelReport['status'], failure: string | null = null): ModelReport => ({
  ...{ id, status, failure, memory: null, restarts: 0, crashes: {}, loads: 0, loadSeconds: 0, unloads: 0 },
});
const listed = (...ids: readonly string[]) =>
  parseRegistry(
    JSON.stringify({ version: 1, models: ids.map((id) => ({ id, path: `/m/${id}.gguf` })) }),
    '/m',
  );

describe('the models of the running deployment', () => {
  it('are shown by status', () => {
    const models = [running('a', 'loaded'), running('b', 'unloaded'), running('c', 'loaded')];
    expect(checkRunningModels({ models }, listed('a', 'b', 'c'))).toEqual([
      { about: 'running models', verdict: 'good', message: 'a, c loaded; b unloaded' },
    ]);
  });

  it('that have failed are errors with their reason', () => {
    const models = [
      running('a', 'failed', 'its file is damaged'),
      running('b', 'failed'),
      running('c', 'failed', 'bad-model'),
      running('d', 'failed', 'does-not-fit'),
      running('e', 'failed', 'out-of-memory'),
    ];
    expect(checkRunningModels({ models }, listed('a', 'b', 'c', 'd', 'e'))).toMatchObject([
      { verdict: 'bad', message: '"a" is failed: its file is damaged' },
      { verdict: 'bad', message: '"b" is failed', fix: expect.stringContaining('corral models load b') },
      {
        verdict: 'bad',
        message: expect.stringMatching(/^"c" is failed: the model file cannot be loaded: .* \(bad-model\)$/),
      },
      { verdict: 'bad', message: expect.stringContaining('too little of MEMORY_BUDGET (does-not-fit)') },
      { verdict: 'bad', message: expect.stringContaining('lower ctx or parallel of "e" in models.json') },
    ]);
  });

  it('that are not those of the file are warnings', () => {
    expect(checkRunningModels({ models: [running('old', 'loaded')] }, listed('new'))).toMatchObject([
      { verdict: 'good' },
      { verdict: 'warning', message: 'new: in the file, but unknown to the running deployment' },
      { verdict: 'warning', message: 'old: served by the running deployment, but no longer in the file' },
    ]);
  });
});
