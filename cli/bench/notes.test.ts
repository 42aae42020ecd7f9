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
      /^concurrency 4, prompt 16: this program, or the machine it runs on, was too busy/,
    ],
    [{ requests: { ...requests, done: 0, failed: 3 } }, /no request was answered/],
    [{ requestsPerSecond: 0 }, /no answer ended within the duration/],
    [{ tokens: { ...tokens, from: 'counted' as const } }, /tells no usage/],
    [{ requests: { ...requests, resent: 1 } }, /sent again at once/],
    [{ isPartial: true }, /broken off before its end/],
  ])('of %j it warns', (change, words) => {
    expect(notesWith(change)).toEqual([expect.stringMatching(words)]);
  });

  it('names the run that was broken off', () => {
    expect(reportNotes({ ...sampleReport([]), isInterrupted: true })).toEqual([
      'Broken off: these are the figures until then.',
    ]);
  });
});
