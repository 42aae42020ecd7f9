import { describe, expect, it } from 'vitest';
import { sampleReport, sampleStep } from '../../test/harness/sample-report.ts';
import { reportNotes } from './notes.ts';
import type { StepReport } from './report.ts';

const notesWith = (change: Partial<StepReport>) =>
  reportNotes(sampleReport([{ ...sampleStep(), ...change }]));
const { requests, client, tokens } = sampleStep();

describe('notesOn', () => {
  it('has nothing to say of a clean run', () => {
    expect(notesWith({})).toEqual([]);
  });

  it.each([
    [
      { client: { ...client, wasBottleneck: true } },
      /^concurrency 4, prompt 16: this client or its machine was too busy/,
    ],
    [{ requests: { ...requests, done: 0, failed: 3 } }, /no request completed; see/],
    [{ requestsPerSecond: 0 }, /no request completed within the duration/],
    [{ tokens: { ...tokens, from: 'counted' as const } }, /reports no usage/],
    [{ requests: { ...requests, resent: 1 } }, /requests were resent/],
    [{ isPartial: true }, /interrupted before the end/],
  ])('of %j it warns', (change, words) => {
    expect(notesWith(change)).toEqual([expect.stringMatching(words)]);
  });

  it('names the run that was broken off', () => {
    expect(reportNotes({ ...sampleReport([]), isInterrupted: true })).toEqual([
      'Interrupted: these are partial results.',
    ]);
  });
});
