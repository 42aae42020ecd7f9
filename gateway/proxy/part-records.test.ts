import { expect, it } from 'vitest';
import type { Usage } from '../api/usage.ts';
import { recordParts } from './part-records.ts';
import { createRequestRecord, type RequestRecord } from './request-record.ts';

const recordOf = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  ...createRequestRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
  ...more,
});
const usage = (n: number, drafts?: Usage['drafts']): Usage => ({
  input: n,
  cached: 0,
  output: 2 * n,
  drafts,
});

it.each([
  ['none', [undefined, undefined], undefined],
  ['one', [undefined, { drafted: 4, accepted: 3 }], { drafted: 4, accepted: 3 }],
  [
    'two',
    [
      { drafted: 6, accepted: 1 },
      { drafted: 4, accepted: 3 },
    ],
    { drafted: 10, accepted: 4 },
  ],
])('the usage of a request is that of its parts, of which speculation was used in %s', (_, drafts, sum) => {
  const whole = recordOf();
  recordParts(
    whole,
    drafts.map((one, n) => recordOf({ usage: usage(n + 1, one) })),
  );
  expect(whole.usage).toEqual({ input: 3, cached: 0, output: 6, drafts: sum });
});
