import { describe, expect, it } from 'vitest';
import { createLog } from './create-log.ts';
import { formatLine } from './format-line.ts';

function lineOf(fields: object, msg = 'hello'): string {
  const lines: string[] = [];
  createLog({ level: 'info', from: 'gateway', write: (line) => lines.push(line) }).info(fields, msg);
  return lines.join('');
}

describe('a line of the log', () => {
  it.each(['text', 'json', 'logfmt'] as const)(
    'is one line in %s, and holds no control character',
    (format) => {
      const nasty = 'a\nb\u001b[31m\u009b\u2028c';
      const shown = formatLine(lineOf({ key: nasty.replace('\n', '') }, nasty), format, false);
      expect(shown).toMatch(/^[^\p{Cc}\u2028]+\n$/u);
    },
  );

  it('in JSON says the same as it was told', () => {
    const line = formatLine(lineOf({ n: 1, text: '\u009b"\\' }), 'json', false);
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      from: 'gateway',
      n: 1,
      text: '\u009b"\\',
      msg: 'hello',
    });
  });

  it('in logfmt begins with level and time', () => {
    expect(formatLine(lineOf({ n: 1 }), 'logfmt', false)).toMatch(
      /^level=info time=\d{4}-\S+Z from=gateway n=1 msg=hello\n$/,
    );
  });

  it('that is none of ours is shown as it is', () => {
    expect(formatLine('{"level":"info", cut', 'text', false)).toBe('{"level":"info", cut\n');
    expect(formatLine('{"level":"info"}', 'logfmt', false)).toBe('{"level":"info"}\n');
  });

  it('tells no secret, however deep, and whatever is in it', () => {
    const line = lineOf({
      secret: 'sk-1\\"x',
      deep: { er: { apiKey: 'sk-2', authorization: 'Bearer sk-3' } },
      n: 1,
    });
    expect(line).not.toContain('sk-');
    expect(JSON.parse(line)).toMatchObject({ secret: '[redacted]', n: 1 });
  });
});
