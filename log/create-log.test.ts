import { afterEach, expect, it, vi } from 'vitest';
import { createLog } from './create-log.ts';

afterEach(() => void vi.useRealTimers());

function memoryLog() {
  const lines: (readonly [line: string, level: string])[] = [];
  const write = (line: string, level: string) => lines.push([line, level]);
  return { log: createLog({ level: 'info', from: 'test', write }), lines };
}

it('writes each line with its level, of children too, and none below the lowest', () => {
  const { log, lines } = memoryLog();
  log.debug('not this one');
  log.info({ n: 1, none: undefined }, 'one');
  log.child({ engine: 'a' }).error('two');
  expect(lines.map(([line, level]) => [{ ...JSON.parse(line), time: '' }, level])).toEqual([
    [{ level: 'info', time: '', from: 'test', n: 1, msg: 'one' }, 'info'],
    [{ level: 'error', time: '', from: 'test', engine: 'a', msg: 'two' }, 'error'],
  ]);
});

it('writes the time of each line, to the millisecond', () => {
  vi.useFakeTimers();
  const { log, lines } = memoryLog();
  const times = ['2026-12-31T23:59:59.007Z', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'];
  for (const time of times) {
    vi.setSystemTime(time);
    log.info('x');
  }
  expect(lines.map(([line]) => JSON.parse(line).time)).toEqual(times);
});

it.each(['\u007f', '\u009b', '\u202e', '\n'])('escapes %j, without a line end', (character) => {
  const { log, lines } = memoryLog();
  log.info({ [`a${character}`]: character }, character);
  expect(lines[0]?.[0]).not.toContain(character);
  expect(JSON.parse(lines[0]?.[0] ?? '')).toMatchObject({ [`a${character}`]: character, msg: character });
});

it.each([{ SECRET: 'sk-1' }, { a: [{ apikey: 'sk-"1' }] }, { Authorization: 'sk-1', secret: 'sk-2\u009b' }])(
  'redacts %j',
  (fields) => {
    const { log, lines } = memoryLog();
    log.info(fields, 'x');
    expect(lines[0]?.[0]).toContain('[redacted]');
    expect(lines[0]?.[0]).not.toContain('sk-');
  },
);
