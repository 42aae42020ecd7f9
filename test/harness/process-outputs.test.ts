import { expect, it } from 'vitest';
import { showIfTestFails, takeOutputs } from './process-outputs.ts';

it('the end of each output is shown once, without debug lines', () => {
  showIfTestFails(() => 'a INFO one\na DEBUG two\na ERROR three');
  showIfTestFails(() => `${'x'.repeat(20_000)}the end`);
  const [first, second] = takeOutputs();
  expect(first).toBe('a INFO one\na ERROR three');
  expect(second).toHaveLength(10_000);
  expect(second).toMatch(/the end$/);
  expect(takeOutputs()).toEqual([]);
});
