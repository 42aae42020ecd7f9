import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toText } from './text.ts';

const told = { level: 'info', time: '2026-11-20T12:34:56.007', from: 'gateway', msg: 'it works' };

describe('a line for people', () => {
  it('says when, how important, who, what, and what else is known', () => {
    expect(toText({ ...told, key: 'app', ms: 12, note: 'two words' }, false)).toBe(
      '12:34:56.007 INFO  gateway: it works key=app ms=12 note="two words"',
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
    expect(toText(request, false)).toBe('12:34:56.007 INFO  gateway: GET /v1/models 200 ms=1');
  });

  it('is coloured only when asked', () => {
    const line = { ...told, level: 'error', key: 'app' };
    expect(toText(line, true)).toContain('\u001b[31mERROR\u001b[0m');
    expect(stripVTControlCharacters(toText(line, true))).toBe(toText(line, false));
    expect(toText(line, false)).not.toContain('\u001b');
  });

  it('keeps lines of a value below, indented', () => {
    expect(toText({ ...told, cause: 'Error: x\n    at y\u001b[2J', key: 'app' }, false)).toBe(
      '12:34:56.007 INFO  gateway: it works key=app\n    Error: x\n        at y\\e[2J',
    );
  });

  it('cannot be forged', () => {
    const forged = 'x\n12:34:56.008 ERROR supervisor: all is lost\u001b[31m\r\u009b2J';
    const shown = toText({ ...told, msg: forged, key: forged.replace('\n', ' '), from: forged }, true);
    expect(shown).not.toContain('\u001b[31m');
    expect(stripVTControlCharacters(shown)).not.toMatch(/\p{Cc}/u);
  });
});
