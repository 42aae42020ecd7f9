import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LineBuffer } from './line-buffer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createBuffer() {
  const written: string[] = [];
  return { buffer: new LineBuffer((lines) => written.push(lines)), written };
}

it('writes a line after a pause at once, and the lines that follow together', () => {
  const { buffer, written } = createBuffer();
  buffer.add('1\n');
  expect(written).toEqual(['1\n']);
  buffer.add('2\n');
  buffer.add('3\n');
  expect(written).toHaveLength(1);
  vi.runAllTimers();
  expect(written).toEqual(['1\n', '2\n3\n']);
  buffer.add('4\n');
  expect(written.at(-1)).toBe('4\n');
});

it('keeps lines together for as long as they come', () => {
  const { buffer, written } = createBuffer();
  for (let line = 0; line < 1000; line++) {
    buffer.add(`${line}\n`);
    vi.advanceTimersByTime(1);
  }
  vi.runAllTimers();
  expect(written.length).toBeLessThan(500);
  expect(written.join('').split('\n')).toHaveLength(1001);
});

it('writes what waits on request, in order', () => {
  const { buffer, written } = createBuffer();
  for (const line of ['1\n', '2\n', '3\n']) buffer.add(line);
  buffer.flush();
  buffer.flush();
  expect(written).toEqual(['1\n', '2\n3\n']);
});

it('does not let many lines wait', () => {
  const { buffer, written } = createBuffer();
  const line = `${'x'.repeat(1023)}\n`;
  for (let lines = 0; lines < 200; lines++) buffer.add(line);
  expect(written.join('').length).toBeGreaterThan(100 * 1024);
});
