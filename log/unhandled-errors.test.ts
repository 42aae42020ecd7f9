import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import {
  countUnhandledErrors,
  handleUnhandledErrors,
  recordUnhandledError,
  removeJsonExcerpts,
} from './unhandled-errors.ts';

const unfollow: (() => void)[] = [];
afterEach(() => {
  for (const leave of unfollow.splice(0)) leave();
});

/** Calls the handlers like the process does, without ending the process of the test. */
function follow() {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  const handlers = new Map<string, (error: unknown) => void>();
  const spy = vi.spyOn(process, 'on').mockImplementation((name, handler) => {
    handlers.set(String(name), handler as (error: unknown) => void);
    return process;
  });
  const end = vi.fn();
  unfollow.push(handleUnhandledErrors(log, end));
  spy.mockRestore();
  return { lines, end, raise: (event: string, error: unknown) => handlers.get(event)?.(error) };
}

it('logs where an error was thrown, but not its message', () => {
  const { lines } = follow();
  const before = countUnhandledErrors();
  try {
    JSON.parse('{"prompt": MY-PRIVATE-WORDS');
  } catch (error) {
    recordUnhandledError(error);
  }
  expect(countUnhandledErrors() - before).toBe(1);
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '');
  expect(line).toMatchObject({
    error: 'SyntaxError',
    at: expect.stringContaining('unhandled-errors.test.ts'),
  });
  expect(lines[0]).not.toContain('PRIVATE');
});

it.each(['a text', undefined, null, 7, { message: 'MY-PRIVATE-WORDS' }])(
  'takes anything that is thrown: %j',
  (thrown) => {
    const { lines } = follow();
    recordUnhandledError(thrown);
    expect(lines.join('')).toContain('unhandled error');
    expect(lines.join('')).not.toContain('PRIVATE');
  },
);

it('continues after an unhandled rejection', () => {
  const { lines, end, raise } = follow();
  raise('unhandledRejection', new Error('MY-PRIVATE-WORDS'));
  expect(lines).toHaveLength(1);
  expect(end).not.toHaveBeenCalled();
});

it('shuts down after a thrown error', () => {
  const exitCode = process.exitCode;
  const { lines, end, raise } = follow();
  raise('uncaughtException', new TypeError('MY-PRIVATE-WORDS'));
  expect(process.exitCode).toBe(1);
  process.exitCode = exitCode;
  expect(lines.join('')).toContain('TypeError');
  expect(end).toHaveBeenCalledTimes(1);
});

function stackOf(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return (error as Error).stack ?? '';
  }
}

it.each([
  'my pin',
  '{"a": my pin is 4711 and so on and on}',
  '{"a":1} my\npin',
  "'my pin'",
  '{"a":"my \u0001 pin"}',
])('an error about %j does not quote it', (text) => {
  expect(stackOf(text)).toContain('SyntaxError');
  const shown = removeJsonExcerpts(stackOf(text));
  expect(shown).not.toMatch(/\bpin\b|4711/);
  expect(shown).toMatch(/JSON/);
  expect(shown).toContain('unhandled-errors.test.ts');
});
