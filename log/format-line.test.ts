import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from './create-log.ts';
import { formatLine, toLogfmt, toText } from './format-line.ts';

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

  it('has the same content in JSON', () => {
    const line = formatLine(lineOf({ n: 1, text: '\u009b"\\' }), 'json', false);
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      from: 'gateway',
      n: 1,
      text: '\u009b"\\',
      msg: 'hello',
    });
  });

  it('starts with level and time in logfmt', () => {
    expect(formatLine(lineOf({ n: 1 }), 'logfmt', false)).toMatch(
      /^level=info time=\d{4}-\S+Z from=gateway n=1 msg=hello\n$/,
    );
  });

  it('is printed as it is if it is not one of ours', () => {
    expect(formatLine('{"level":"info", cut', 'text', false)).toBe('{"level":"info", cut\n');
    expect(formatLine('{"level":"info"}', 'logfmt', false)).toBe('{"level":"info"}\n');
  });

  it('contains no secret, at any depth', () => {
    const line = lineOf({
      secret: 'sk-1\\"x',
      deep: { er: { apiKey: 'sk-2', authorization: 'Bearer sk-3' } },
      n: 1,
    });
    expect(line).not.toContain('sk-');
    expect(JSON.parse(line)).toMatchObject({ secret: '[redacted]', n: 1 });
  });
});

describe('toLogfmt', () => {
  it.each([
    [{ a: 1, b: true, c: null }, 'a=1 b=true c=null'],
    [{ msg: 'two words' }, 'msg="two words"'],
    [{ msg: 'a=b' }, 'msg="a=b"'],
    [{ msg: 'say "hi"' }, 'msg="say \\"hi\\""'],
    [{ msg: 'two\nlines\t' }, 'msg="two\\nlines\\t"'],
    [{ msg: 'back\\slash' }, 'msg="back\\\\slash"'],
    [{ msg: '' }, 'msg=""'],
    [{ key: 'ключ' }, 'key="ключ"'],
    [{ msg: '\u001b[31m\u009b' }, 'msg="\\u001b[31m\\u009b"'],
    [{ nested: { a: [1, 2] } }, 'nested="{\\"a\\":[1,2]}"'],
    [{}, ''],
  ])('%j', (fields, line) => {
    expect(toLogfmt(fields)).toBe(line);
    expect(line).not.toContain('\n');
  });
});

const line = { level: 'info', time: '2026-11-20T12:34:56.007Z', from: 'gateway', msg: 'it works' };

const at = '2026-11-20T12:34:56.007+00:00';

describe('the text format', () => {
  const zone = process.env.TZ;
  const goTo = (there: string | undefined) => {
    if (there === undefined) delete process.env.TZ;
    else process.env.TZ = there;
  };
  beforeEach(() => goTo('UTC'));
  afterEach(() => goTo(zone));

  it.each([
    ['UTC', '2026-11-20T12:34:56.007+00:00'],
    ['Europe/Berlin', '2026-11-20T13:34:56.007+01:00'],
    ['Asia/Kathmandu', '2026-11-20T18:19:56.007+05:45'],
    ['America/St_Johns', '2026-11-20T09:04:56.007-03:30'],
    ['Pacific/Kiritimati', '2026-11-21T02:34:56.007+14:00'],
  ])('has the date, time and time zone of the machine, as in %s', (there, shown) => {
    goTo(there);
    expect(toText(line, false)).toBe(`${shown} INFO  gateway: it works`);
  });

  it('has time, level, component, message and the other fields', () => {
    expect(toText({ ...line, key: 'app', ms: 12, note: 'two words' }, false)).toBe(
      `${at} INFO  gateway: it works key=app ms=12 note="two words"`,
    );
  });

  it('does not repeat what the message of a request contains', () => {
    const request = {
      ...line,
      msg: 'GET /v1/models 200',
      method: 'GET',
      path: '/v1/models',
      status: 200,
      ms: 1,
    };
    expect(toText(request, false)).toBe(`${at} INFO  gateway: GET /v1/models 200 ms=1`);
  });

  it('is coloured only on request', () => {
    const errorLine = { ...line, level: 'error', key: 'app' };
    expect(toText(errorLine, true)).toContain('\u001b[31mERROR\u001b[0m');
    expect(stripVTControlCharacters(toText(errorLine, true))).toBe(toText(errorLine, false));
    expect(toText(errorLine, false)).not.toContain('\u001b');
  });

  it('indents the lines of a value with several lines', () => {
    expect(toText({ ...line, cause: 'Error: x\n    at y\u001b[2J', key: 'app' }, false)).toBe(
      `${at} INFO  gateway: it works key=app\n    Error: x\n        at y\\e[2J`,
    );
  });

  it('cannot be forged', () => {
    const forged = 'x\n12:34:56.008 ERROR supervisor: all is lost\u001b[31m\r\u009b2J';
    const shown = toText({ ...line, msg: forged, key: forged.replace('\n', ' '), from: forged }, true);
    expect(shown).not.toContain('\u001b[31m');
    expect(stripVTControlCharacters(shown)).not.toMatch(/\p{Cc}/u);
  });
});
