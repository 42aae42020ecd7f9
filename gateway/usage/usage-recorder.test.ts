import { expect, it } from 'vitest';
import { createRequestRecord, type RequestFinished, type RequestRecord } from '../proxy/request-record.ts';
import type { UsageEntry } from './usage-batch.ts';
import { createUsageRecorder } from './usage-recorder.ts';

const eventWith = (more: Partial<RequestRecord>): RequestFinished => ({
  record: {
    ...createRequestRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
    keyId: 'key',
    usage: { input: 100, cached: 0, output: 5 },
    ...more,
  },
  end: { status: 200, outcome: 'ok' },
  pattern: '/v1/completions',
  priority: 'normal',
});

function createRecorder() {
  const recorded: UsageEntry['usage'][] = [];
  return { recordUsage: createUsageRecorder(({ usage }) => void recorded.push(usage)), recorded };
}

it('records the usage known at the end, and a correction when the tokens are counted later', async () => {
  const { recordUsage, recorded } = createRecorder();
  const { promise: usageCorrection, resolve } = Promise.withResolvers<number>();
  const finished = recordUsage(eventWith({ usageCorrection }));
  expect(recorded).toMatchObject([{ requests: 1, errors: 0, input: 100, output: 5 }]);
  resolve(-93);
  await finished;
  expect(recorded[1]).toMatchObject({ requests: 0, errors: 0, input: -93, output: 0, computeMs: 0 });
});

it.each([
  [true, 'v2'],
  [false, undefined],
])('records the model only if there are several: %j', async (hasModels, model) => {
  const recorded: UsageEntry[] = [];
  await createUsageRecorder((one) => void recorded.push(one), hasModels)(eventWith({ model: 'v2' }));
  expect(recorded.map((one) => one.model)).toEqual([model]);
});

it.each([
  ['/metrics', 0],
  ['/dashboard/session', 0],
  ['/admin/requests/:id{.+}', 0],
  ['/v1/models', 1],
])(
  'counts requests for %s as %i: reading the state is no usage, but the key was used',
  (pattern, requests) => {
    const recorded: UsageEntry[] = [];
    const end = { status: 403, outcome: 'refused' } as const;
    createUsageRecorder((one) => void recorded.push(one))({ ...eventWith({}), end, pattern });
    expect(recorded).toMatchObject([{ keyId: 'key', usage: { requests, errors: requests } }]);
  },
);

it('records no correction of 0, and does not wait for a correction of a request without a key', async () => {
  const { recordUsage, recorded } = createRecorder();
  await recordUsage(eventWith({ usageCorrection: Promise.resolve(0) }));
  await recordUsage(eventWith({ keyId: undefined, usageCorrection: new Promise(() => {}) }));
  expect(recorded).toHaveLength(1);
});

it.each([
  ['rejected', { end: { status: 400, outcome: 'refused' } }, 1],
  ['broken off', { end: { status: 200, outcome: 'broken_off' }, error: 'bad_gateway' }, 1],
  ['left by its client', { end: { status: 499, outcome: 'client_left' } }, 0],
] as const)('a request that was %s counts as that many errors', async (_, { end, ...more }, errors) => {
  const { recordUsage, recorded } = createRecorder();
  await recordUsage({ ...eventWith(more), end });
  expect(recorded).toMatchObject([{ errors }]);
});
