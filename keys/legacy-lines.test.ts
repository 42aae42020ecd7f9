import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { importKeys, parseInlineKeys, parseLegacyLines } from './legacy-lines.ts';
import { fingerprint } from './secret.ts';

const secret = 'sk-0123456789abcdefwxyz';

function keyOf(line: string) {
  const [reading] = parseLegacyLines(line);
  if (!reading || !('key' in reading)) throw new Error(`no key in ${line}: ${reading?.problem}`);
  return reading.key;
}

function problemOf(line: string): string {
  const [reading] = parseLegacyLines(line);
  return reading && 'problem' in reading ? reading.problem : 'none';
}

describe('parseLegacyLines', () => {
  it('reads id and secret, and keeps only the fingerprint and a hint of the secret', () => {
    expect(keyOf(`app:${secret}`)).toEqual({
      id: 'app',
      fingerprint: fingerprint(secret),
      hint: 'sk-…wxyz',
      created: null,
      expires: null,
      disabled: false,
      cutOff: false,
      scopes: ['inference'],
      models: ['*'],
      priority: 'normal',
      limits: {},
      usersFrom: null,
      userLimits: {},
      previous: null,
      note: '',
    });
    expect(inspect(parseLegacyLines(`app:${secret}`), { depth: null })).not.toContain(secret);
  });

  it('reads the rate limit and an expiration that contains colons', () => {
    const key = keyOf(` app : ${secret} : 60 : 2027-01-31T12:30:00 `);
    expect(key.limits).toEqual({ requestsPerMinute: 60 });
    expect(key.expires).toBe(Date.UTC(2027, 0, 31, 12, 30));
  });

  it('reads an expiration without a rate limit', () => {
    expect(keyOf(`app:${secret}::2027-01-31`)).toMatchObject({ limits: {}, expires: Date.UTC(2027, 0, 31) });
  });

  it.each([
    ['2027-01-31T12:00:00Z', 12],
    ['2027-01-31T12:00:00+02:00', 10],
    ['2027-01-31T12:00:00', 12],
  ])('reads the time zone of %s', (expiration, hour) => {
    expect(keyOf(`app:${secret}:5:${expiration}`).expires).toBe(Date.UTC(2027, 0, 31, hour));
  });

  it('numbers lines like an editor and skips comments and blank lines', () => {
    const readings = parseLegacyLines(`# keys\r\n\r\n  # more\r\na:${secret}\r\nbad\r\n`);
    expect(readings.map(({ line }) => line)).toEqual([4, 5]);
  });

  it.each([
    ['nothing else', /key id must be/],
    [`a b:${secret}`, /key id must be/],
    [`:${secret}`, /key id must be/],
    ['app:short', /secret must be 16 to 128/],
    [`app:${'x'.repeat(129)}`, /secret must be 16 to 128/],
    ['app:sk-0123456789 abcdef', /secret must be/],
    [`app:${secret}:0`, /rate limit must be an integer > 0/],
    [`app:${secret}:-1`, /rate limit/],
    [`app:${secret}:1.5`, /rate limit/],
    [`app:${secret}:5:soon`, /expiration must be an ISO time/],
    [`app:${secret}:5:2027-02-30`, /expiration/],
  ])('skips %j and reports the reason', (line, reason) => {
    expect(problemOf(line)).toMatch(reason);
  });

  it('quotes nothing of an invalid line, because the secret may be anywhere in it', () => {
    for (const line of [
      secret,
      `${secret}:app`,
      `app ${secret}`,
      `app:x${secret}!`,
      `app:${secret}:${secret}`,
    ]) {
      expect(problemOf(line)).not.toContain('0123456789');
    }
  });
});

describe('parseInlineKeys', () => {
  it('reads comma-separated entries and numbers them', () => {
    const readings = parseInlineKeys(`a:${secret}, bad ,b:${secret}2`);
    expect(readings.map((reading) => [reading.line, 'key' in reading])).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
  });
});

const lines = (text: string) => parseLegacyLines(text);
const secretOf16 = (letter: string) => letter.repeat(16);

describe('importKeys', () => {
  it('reports the result of every line and changes no existing key', () => {
    const { keys: there } = importKeys([], lines(`a:${secretOf16('a')}:5\nb:${secretOf16('b')}`));
    const text = `a:${secretOf16('a')}:9\nb:${secretOf16('x')}\nc:${secretOf16('b')}\nbad\nd:${secretOf16('d')}\nd:${secretOf16('e')}`;
    const { keys, results } = importKeys(there, lines(text));
    expect(keys.map(({ id, limits }) => [id, limits.requestsPerMinute])).toEqual([
      ['a', 5],
      ['b', undefined],
      ['d', undefined],
    ]);
    expect(results.map(({ line, id, outcome }) => [line, id, outcome])).toEqual([
      [1, 'a', 'unchanged'],
      [2, 'b', 'skipped'],
      [3, 'c', 'skipped'],
      [4, undefined, 'skipped'],
      [5, 'd', 'imported'],
      [6, 'd', 'skipped'],
    ]);
    expect(results[1]?.reason).toContain('another secret');
    expect(results[2]?.reason).toContain('"b" has the same secret');
  });
});
