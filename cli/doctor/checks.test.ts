import { describe, expect, it } from 'vitest';
import { type Key, keyDefaults } from '../../keys/key.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import {
  checkCollector,
  checkFit,
  checkGpus,
  checkKeys,
  checkRedis,
  checkSpace,
  freeGpuBytes,
  type KeySnapshot,
} from './checks.ts';

import { report } from './doctor-command.ts';
import { exitStatus, type Finding, type Verdict } from './finding.ts';

const gib = 1024 ** 3;
const found = (verdict: Verdict): Finding => ({ about: 'a', verdict, message: 'w' });

describe('the summary of the findings', () => {
  it('is the worst of them', () => {
    expect(exitStatus([found('good'), found('warning')])).toBe(0);
    expect(exitStatus([found('bad'), found('warning')])).toBe(1);
    expect(exitStatus([found('bad'), found('wrong')])).toBe(2);
  });

  it('has one line per finding, with the fix below', () => {
    const findings: Finding[] = [
      { about: 'ports', verdict: 'good', message: '8000 and 8001 are free' },
      { about: 'Redis', verdict: 'bad', message: 'h:1 does not respond', fix: 'check it' },
    ];
    expect(report(findings).split('\n')).toEqual([
      '✓ ports  8000 and 8001 are free',
      '✗ Redis  h:1 does not respond',
      '         → check it',
      '',
      'Something does not work: see ✗ above.',
    ]);
  });
});

describe('memory for the model', () => {
  it.each([
    [{ model: 4 * gib, gpu: 8 * gib, memory: 2 * gib }, 'good', '4.0 GiB fits into 8.0 GiB free on GPUs'],
    [
      { model: 9 * gib, gpu: 8 * gib, memory: 2 * gib },
      'warning',
      '9.0 GiB does not fit into 8.0 GiB free on GPUs',
    ],
    [{ model: 12 * gib, gpu: 8 * gib, memory: 2 * gib }, 'bad', expect.any(String)],
    [{ model: 4 * gib, gpu: undefined, memory: 5 * gib }, 'good', '4.0 GiB fits into 5.0 GiB'],
    [{ model: 6 * gib, gpu: undefined, memory: 5 * gib }, 'bad', '6.0 GiB does not fit into 5.0 GiB'],
  ])('%j is %s', (sizes, verdict, message) => expect(checkFit(sizes)).toMatchObject({ verdict, message }));
});

describe('GPUs', () => {
  const nothing = Object.fromEntries(
    ['uuid', 'utilization', 'power', 'eccUncorrected', 'recoveryAction'].map((name) => [name, undefined]),
  );
  const sample = (changes: Partial<GpuSample> = {}) =>
    ({
      ...nothing,
      ...{ at: 0, index: 0, name: 'NVIDIA L4', driver: '580.95' },
      ...{ memoryTotal: 24 * gib, memoryUsed: 4 * gib },
      ...changes,
    }) as GpuSample;

  it('are reported with driver and memory', () => {
    expect(checkGpus({ samples: [sample()], trouble: undefined })).toEqual([
      { about: 'GPU 0', verdict: 'good', message: 'NVIDIA L4, driver 580.95, 20.0 GiB of 24.0 GiB free' },
    ]);
    expect(freeGpuBytes([sample(), sample({ index: 1, memoryUsed: undefined })])).toBe(44 * gib);
    expect([freeGpuBytes([]), freeGpuBytes([sample({ memoryTotal: undefined })])]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each([
    [sample({ recoveryAction: 'Reset' }), 'bad'],
    [sample({ eccUncorrected: 2 }), 'warning'],
    [sample({ recoveryAction: 'None', eccUncorrected: 0 }), 'good'],
  ])('with problems are reported', (one, verdict) => {
    expect(checkGpus({ samples: [one], trouble: undefined })).toMatchObject([{ verdict }]);
  });

  it.each([
    ['absent', 'warning'],
    ['no-devices', 'warning'],
    ['no-driver', 'bad'],
    ['hung', 'bad'],
  ] as const)('that are %s are a %s finding', (trouble, verdict) => {
    expect(checkGpus({ samples: [], trouble })).toMatchObject([{ about: 'GPU', verdict }]);
  });
});

describe('keys', () => {
  const key = (changes: Partial<Key> = {}): Key => ({
    ...keyDefaults,
    ...{ id: 'a', fingerprint: 'sha256:0', hint: '' },
    ...changes,
  });
  const judge = (changes: Partial<KeySnapshot>) =>
    checkKeys(
      {
        ...{ isRequired: true, file: '/d/keys.json', keys: [key()], warnings: [], problem: undefined },
        maxAgeMs: undefined,
        ...changes,
      },
      1000,
    );

  it.each([
    ['that work', {}, [{ verdict: 'good', message: '1 of 1 keys are active (/d/keys.json)' }]],
    ['that are not required', { isRequired: false }, [{ verdict: 'warning' }]],
    [
      'that are not needed beside tokens',
      { keys: [], acceptsTokens: true },
      [{ verdict: 'good', message: 'no active key in /d/keys.json: requests need a token' }],
    ],
    ['of a broken file', { problem: '/d/keys.json: is not valid JSON' }, [{ verdict: 'wrong' }]],
    [
      'that are not there',
      { keys: [] },
      [{ verdict: 'warning', fix: expect.stringContaining('keys create') }],
    ],
    ['that are all disabled', { keys: [key({ disabled: true })] }, [{ verdict: 'warning' }]],
    ['that end soon', { keys: [key({ expires: 2000 })] }, [{ verdict: 'warning' }]],
    ['that are old', { keys: [key({ created: 0 })], maxAgeMs: 10 }, [{ verdict: 'warning' }]],
    ['that others may read', { warnings: ['mode 0644'] }, [{ verdict: 'good' }, { message: 'mode 0644' }]],
  ])('%s', (_, changes, findings) => expect(judge(changes)).toMatchObject(findings));
});

it('warns about a volume that is nearly full', () => {
  expect(checkSpace('/data', 2 * gib)).toMatchObject({
    verdict: 'good',
    message: expect.stringContaining('2.0 GiB'),
  });
  expect(checkSpace('/data', 5 * 1024 ** 2)).toMatchObject({
    verdict: 'warning',
    message: expect.stringContaining('5.0 MiB'),
  });
});

it('reports whether services respond, with their address', () => {
  expect(checkRedis('h:1', { outcome: 'responded' })).toMatchObject({ verdict: 'good' });
  expect(checkRedis('h:1', { outcome: 'failed', why: 'ECONNREFUSED' })).toMatchObject({
    verdict: 'bad',
    message: 'h:1 does not respond (ECONNREFUSED)',
  });
  expect(checkCollector('h:1', { outcome: 'responded', status: 200 })).toMatchObject({ verdict: 'good' });
  expect(checkCollector('h:1', { outcome: 'responded', status: 404 })).toMatchObject({ verdict: 'bad' });
  expect(checkCollector('h:1', { outcome: 'failed', why: 'x' })).toMatchObject({ verdict: 'bad' });
});
