import { expect, it } from 'vitest';
import { parseLine } from '../../nvidia-smi-parser/parse-line.ts';
import { fullQuery } from '../../nvidia-smi-parser/query.ts';
import { cards } from '../../test/fakes/nvidia-smi-recordings.ts';
import { EnergyMeter } from './gpus.ts';

function reading(index: number, seconds: number, watts: number | undefined) {
  const line = parseLine(cards.h200WithMig.lines[0], fullQuery, seconds * 1000);
  if (line.kind !== 'sample') throw new Error(line.kind);
  return { ...line.sample, index, power: watts };
}

function meterOf(...readings: [index: number, seconds: number, watts: number | undefined][]) {
  const meter = new EnergyMeter();
  for (const [index, seconds, watts] of readings) meter.add(reading(index, seconds, watts));
  return meter;
}

it('energy is power times time under a steady load', () => {
  const meter = meterOf([0, 10, 300], [0, 12, 300], [0, 14, 300]);
  expect(meter.total).toBe(1200);
});

it('energy between two readings uses their mean, including idle power', () => {
  expect(meterOf([0, 0, 50], [0, 10, 350]).total).toBe(2000);
  expect(meterOf([0, 0, 50], [0, 10, 50]).total).toBe(500);
});

it('each GPU has its own meter', () => {
  const meter = meterOf([0, 0, 100], [1, 0.5, 200], [0, 2, 100], [1, 2.5, 200]);
  expect([...meter.joules]).toEqual([
    [0, 200],
    [1, 400],
  ]);
  expect(meter.total).toBe(600);
});

it('energy in a long gap between readings is not counted', () => {
  const meter = meterOf([0, 0, 100], [0, 2, 100], [0, 100, 100], [0, 102, 100]);
  expect(meter.total).toBe(400);
});

it('a reading without power is ignored', () => {
  expect(meterOf([0, 0, 100], [0, 1, undefined], [0, 2, 100]).total).toBe(200);
  expect(meterOf([0, 0, undefined]).total).toBeUndefined();
});
