import { expect, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import type { ModelRecord } from '../models/registry.ts';
import { recordChange } from './registry-changes.ts';

function record(fields: object): ModelRecord {
  const { models } = parseRegistry(JSON.stringify({ version: 1, models: [{ id: 'm', ...fields }] }), '/m');
  if (!models[0]) throw new Error('no model');
  return models[0];
}
const ofFile = (fields: object = {}) => record({ path: '/m/a.gguf', ...fields });
const elsewhere = record({ backends: ['http://127.0.0.1:1'] });

it('only what an engine is started with requires a restart', () => {
  expect(recordChange(ofFile(), ofFile({ pin: true, listed: false, limits: { queueSize: 9 } }))).toBe('none');
  expect(recordChange(ofFile(), ofFile({ ctx: 512 }))).toBe('restart');
  expect(recordChange(ofFile({ args: ['--temp', '0'] }), ofFile({ args: ['--temp', '1'] }))).toBe('restart');
  expect(recordChange(ofFile(), record({ path: '/m/b.gguf' }))).toBe('restart');
});

it('another number of engines, or engines elsewhere, are other engines', () => {
  expect(recordChange(ofFile(), ofFile({ replicas: 2 }))).toBe('rebuild');
  expect(recordChange(ofFile(), elsewhere)).toBe('rebuild');
  expect(recordChange(elsewhere, record({ backends: ['http://127.0.0.1:2'] }))).toBe('none');
});
