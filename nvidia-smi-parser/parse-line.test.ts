import { describe, expect, it } from 'vitest';
import { cards, faults } from '../test/fakes/nvidia-smi-recordings.ts';
import type { GpuSample } from './gpu-sample.ts';
import { parseLine } from './parse-line.ts';
import { fullQuery, type Query, withoutField } from './query.ts';

const MIB = 1024 ** 2;

function sampleOf(line: string, query: Query = fullQuery): GpuSample {
  const parsed = parseLine(line, query, 5);
  if (parsed.kind !== 'sample') throw new Error(`${parsed.kind}: ${line}`);
  return parsed.sample;
}

describe('a row', () => {
  it('of a card with MIG has no utilization and the memory of the whole card', () => {
    expect(sampleOf(cards.h200WithMig.lines[0])).toEqual({
      at: 5,
      index: 0,
      uuid: 'GPU-00000000-0000-0000-0000-000000000000',
      name: 'NVIDIA H200',
      driver: '610.43.02',
      utilization: undefined,
      memoryActivity: undefined,
      memoryUsed: 44 * MIB,
      memoryTotal: 143_771 * MIB,
      temperature: 40,
      memoryTemperature: 39,
      power: 130.44,
      powerLimit: 700,
      smClock: 1980e6,
      memoryClock: 3201e6,
      fan: undefined,
      slowdowns: [],
      eccCorrected: 0,
      eccUncorrected: 0,
      mig: true,
      recoveryAction: 'None',
    });
  });

  it('of a busy card has all fields', () => {
    expect(sampleOf(cards.h100UnderLoad.lines[0])).toMatchObject({
      utilization: 1,
      memoryActivity: 0.11,
      memoryUsed: 19_818 * MIB,
      power: 631.95,
      mig: false,
    });
    expect(sampleOf(cards.l40sUnderLoad.lines[0])).toMatchObject({
      utilization: 0.09,
      mig: undefined,
      smClock: 2520e6,
    });
  });

  it('of a consumer card has no ECC fields', () => {
    expect(sampleOf(cards.rtx2080OnWindowsDriver.lines[0])).toMatchObject({
      utilization: 0.02,
      memoryActivity: 0.1,
      temperature: 36,
      memoryTemperature: undefined,
      power: 32.7,
      fan: 0.38,
      slowdowns: ['idle'],
      eccCorrected: undefined,
      mig: undefined,
    });
  });

  it('of an old card has the fields that the card supports', () => {
    const { at, index, name, temperature, fan, ...rest } = sampleOf(cards.gtx770.lines[0]);
    expect({ index, name, temperature, fan }).toEqual({
      index: 0,
      name: 'GeForce GTX 770',
      temperature: 52,
      fan: 0.52,
    });
    expect(Object.values(rest).every((value) => value === undefined)).toBe(true);
  });

  it.each(Object.values(cards))('of $of is parsed', ({ lines }) => {
    for (const line of lines) expect(sampleOf(line).index).toBe(0);
  });

  it.each([
    '[Unknown Error]',
    '[Insufficient Permissions]',
    '[GPU requires reset]',
    '[GPU is lost]',
    '[Function Not Found]',
    '[Requested functionality has been deprecated]',
    'ERR!',
    'N/A',
    '',
    '-1',
    '4294967295',
    '1e3',
    'NaN',
    '0x1F',
  ])('with %j in each cell is a GPU with only an index', (word) => {
    const { at, index, ...rest } = sampleOf(['3', ...Array(fullQuery.size - 1).fill(word)].join(', '));
    expect(index).toBe(3);
    const { uuid, name, driver, recoveryAction, eccCorrected, eccUncorrected, slowdowns, ...others } = rest;
    expect(new Set(Object.values(others))).toEqual(new Set([undefined]));
  });

  it.each([
    ['105', 1.05],
    ['105 %', 1.05],
    ['100', 1],
    ['0 %', 0],
    ['255 %', 2.55],
    ['4000', undefined],
  ])('may have a fan speed above 100 %%: %s', (cell, fan) => {
    const cells = [...fullQuery.keys()].map((field) =>
      field === 'index' ? '0' : field === 'fan' ? cell : '[N/A]',
    );
    expect(sampleOf(cells.join(', ')).fan).toEqual(fan === undefined ? undefined : expect.closeTo(fan));
  });

  it('lists the active clock slowdown reasons', () => {
    const mask = (hex: string) => cards.h200WithMig.lines[0].replace('0x0000000000000000', hex);
    expect(sampleOf(mask('0x0000000000000004')).slowdowns).toEqual(['software_power_cap']);
    expect(sampleOf(mask('0x0000000000000068')).slowdowns).toEqual([
      'hardware_slowdown',
      'software_thermal',
      'hardware_thermal',
    ]);
    expect(sampleOf(mask('0x8000000000000000')).slowdowns).toEqual([]);
  });

  it('is parsed by the columns of the query', () => {
    const narrow = withoutField(withoutField(fullQuery, 'gpu_recovery_action'), 'mig.mode.current');
    const line = cards.h200WithMig.lines[0].replace(', Enabled, None', '');
    expect(sampleOf(line, narrow)).toMatchObject({ eccUncorrected: 0, mig: undefined });
    expect(parseLine(line, fullQuery, 0).kind).toBe('other');
  });
});

describe('a line that is no row', () => {
  it.each([
    [faults.noDriver.lines[0], 'no-driver'],
    [faults.mismatch.lines[0], 'driver-mismatch'],
    [faults.noDevices.lines[0], 'no-devices'],
    [faults.lost.lines[1], 'gpu-lost'],
    [faults.nvmlUnknownError.lines[0], 'no-driver'],
    ["NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.", 'no-driver'],
    ['Failed to initialize NVML: Insufficient Permissions', 'no-permission'],
  ])('%s', (line, trouble) => {
    expect(parseLine(line, fullQuery, 0)).toEqual({ kind: 'trouble', trouble });
  });

  it('may name a field unknown to the driver', () => {
    const [line] = faults.unknownName.lines;
    expect(parseLine(line, fullQuery, 0)).toEqual({
      kind: 'unknown-field',
      name: 'clocks_event_reasons.active',
    });
  });

  it.each(['', 'NVML library version: 570.124', '0', '0, 1, 2', '\u0000\u001b[31m', `${','.repeat(19)}`])(
    '%j is ignored',
    (line) => {
      expect(parseLine(line, fullQuery, 0)).toEqual({ kind: 'other' });
    },
  );
});
