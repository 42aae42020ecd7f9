import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toText } from './text.ts';

const told = { level: 'info', time: '2026-11-20T12:34:56.007Z', from: 'gateway', msg: 'it works' };

const at = '2026-11-20T12:34:56.007+00:00';

describe('a line for people', () => {
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
  ])('has the date, the time and the zone of the machine, as in %s', (there, shown) => {
    goTo(there);
    expect(toText(told, false)).toBe(`${shown} INFO  gateway: it works`);
  });

  it('says when, how important, who, what, and what else is known', () => {
    expect(toText({ ...told, key: 'app', ms: 12, note: 'two words' }, false)).toBe(
      `${at} INFO  gateway: it works key=app ms=12 note="two words"`,
    );
  });

  it('does not say twice what the words of a request say', () => {
    const request = {
      ...told,
      msg: 'GET /v1/models 200',
      method: 'GET',
      path: '/v1/models',
      status: 200,
      ms: 1,
    };
    expect(toText(request, false)).toBe(`${at} INFO  gateway: GET /v1/models 200 ms=1`);
  });

  it('is coloured only when asked', () => {
    const line = { ...told, level: 'error', key: 'app' };
    expect(toText(line, true)).toContain('\u001b[31mERROR\u001b[0m');
    expect(stripVTControlCharacters(toText(line, true))).toBe(toText(line, false));
    expect(toText(line, false)).not.toContain('\u001b');
  });

  it('keeps lines of a value below, indented', () => {
    expect(toText({ ...told, cause: 'Error: x\n    at y\u001b[2J', key: 'app' }, false)).toBe(
      `${at} INFO  gateway: it works key=app\n    Error: x\n        at y\\e[2J`,
    );
  });

  it('cannot be forged', () => {
    const forged = 'x\n12:34:56.008 ERROR supervisor: all is lost\u001b[31m\r\u009b2J';
    const shown = toText({ ...told, msg: forged, key: forged.replace('\n', ' '), from: forged }, true);
    expect(shown).not.toContain('\u001b[31m');
    expect(stripVTControlCharacters(shown)).not.toMatch(/\p{Cc}/u);
  });
});
