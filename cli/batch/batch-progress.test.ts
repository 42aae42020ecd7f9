import { describe, expect, it } from 'vitest';
import { type Batch, batchObject } from './batch-object.ts';
import { BatchProgress, changeMark, costOf, plainLine } from './batch-progress.ts';

const START = 1_800_000_000;

function batch(changes: Partial<Batch> = {}, [completed, failed, total] = [0, 0, 1000]): Batch {
  return batchObject.parse({
    id: 'batch_1',
    status: 'in_progress',
    endpoint: '/v1/chat/completions',
    input_file_id: 'file-1',
    request_counts: { total, completed, failed },
    usage: { input_tokens: 0, output_tokens: 0 },
    created_at: START,
    in_progress_at: START,
    ...changes,
  });
}

const withTokens = (output: number) => ({ usage: { input_tokens: 10, output_tokens: output } });

describe('the line on a terminal', () => {
  it('has lines, failures, tokens per second, the time left and the cost', () => {
    const progress = new BatchProgress(1.2);
    progress.add(batch(withTokens(0), [400, 0, 1000]), START * 1000 + 1000);
    progress.add(batch(withTokens(5000), [498, 2, 1000]), START * 1000 + 11_000);
    expect(progress.line((START + 1800) * 1000)).toBe(
      '██████████░░░░░░░░░░ 50%  500 of 1,000, 2 failed  500 tokens/s  50s left  cost ≤ 0.6000',
    );
  });

  it('leaves out what is unknown', () => {
    const progress = new BatchProgress();
    expect(progress.line(0)).toBe('');
    progress.add(batch({ status: 'validating' }, [0, 0, 12_000]), 0);
    expect(progress.line(0)).toBe('validating  12,000 lines');
    progress.add(batch({}, [0, 0, 1000]), 0);
    expect(progress.line(0)).toBe('░░░░░░░░░░░░░░░░░░░░ 0%  0 of 1,000');
    progress.add(batch({}, [0, 0, 1000]), 1000);
    expect(progress.line(0)).toBe('░░░░░░░░░░░░░░░░░░░░ 0%  0 of 1,000  0 tokens/s');
  });

  it('looks at the last minute only', () => {
    const progress = new BatchProgress();
    progress.add(batch(withTokens(0)), 0);
    progress.add(batch(withTokens(100_000)), 100_000);
    progress.add(batch(withTokens(100_100)), 110_000);
    expect(progress.line(0)).toContain('  10 tokens/s');
  });

  it('has the status and why the batch is paused', () => {
    const progress = new BatchProgress();
    progress.add(batch({ status: 'cancelling', reason: 'the disk is full' }, [1, 0, 2]), 0);
    expect(progress.line(0)).toBe('cancelling  ██████████░░░░░░░░░░ 50%  1 of 2  paused: the disk is full');
  });
});

it('the cost is that of the machine while the batch ran', () => {
  expect(costOf(batch(), 2, (START + 1800) * 1000)).toBe(1);
  expect(costOf(batch({ completed_at: START + 900 }), 2, (START + 1800) * 1000)).toBe(0.5);
  expect(costOf(batch({ in_progress_at: null }), 2, START * 1000)).toBeUndefined();
  expect(costOf(batch(), undefined, START * 1000)).toBeUndefined();
});

it('without a terminal a line says what has changed', () => {
  expect(plainLine(batch({ status: 'validating' }, [0, 0, 0]))).toBe('validating');
  expect(plainLine(batch({ reason: 'no slots' }, [118, 2, 1000]))).toBe(
    'in progress: 120 of 1,000 done, 2 failed; paused: no slots',
  );
});

it('a change is a new status, a reason, or another tenth of the lines', () => {
  const before = changeMark(batch({}, [100, 0, 1000]));
  expect(changeMark(batch({}, [190, 9, 1000]))).toBe(before);
  expect(changeMark(batch({}, [190, 10, 1000]))).not.toBe(before);
  expect(changeMark(batch({ reason: 'x' }, [100, 0, 1000]))).not.toBe(before);
  expect(changeMark(batch({ status: 'finalizing' }, [100, 0, 1000]))).not.toBe(before);
});
