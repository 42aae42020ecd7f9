import { describe, expect, it } from 'vitest';
import { parseApiKeysVariable, parseKeys } from './parse-keys.ts';
import { fingerprint } from './secret.ts';

const secret = (letter: string) => letter.repeat(16);

describe('parseKeys', () => {
  it('recognizes the two formats by their content', async () => {
    const json = JSON.stringify({ version: 1, keys: [{ id: 'json', fingerprint: fingerprint('x') }] });
    expect((await parseKeys(`\n  ${json}`)).keys.map(({ id }) => id)).toEqual(['json']);
    expect((await parseKeys(`# keys\nline:${secret('a')}`)).keys.map(({ id }) => id)).toEqual(['line']);
    expect((await parseKeys('')).keys).toEqual([]);
  });

  it('skips an invalid line, reports its number and loads the others', async () => {
    const { keys, warnings } = await parseKeys(`a:${secret('a')}\nbad\nb:${secret('b')}`);
    expect(keys.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(warnings).toEqual([expect.stringMatching(/^line 2 is skipped: the secret must be/)]);
  });

  it.each(['bad', '<html>\n<body>', '{oops', `# keys\nshort:abc`])(
    'rejects %j, which has no valid line',
    async (text) => {
      await expect(parseKeys(text)).rejects.toThrow(
        /^is (not a key file, or has no valid line|not valid JSON)/,
      );
    },
  );

  it('uses the first of two lines with the same secret', async () => {
    const { keys, warnings } = await parseKeys(`a:${secret('x')}\nb:${secret('x')}`);
    expect(keys.map(({ id }) => id)).toEqual(['a']);
    expect(warnings).toEqual(['line 2 is skipped: "a" has the same secret']);
  });

  it('allows two secrets for one id, with the limit and expiry of the last line', async () => {
    const { keys, warnings } = await parseKeys(`a:${secret('x')}:5:2027-01-01\na:${secret('y')}:7`);
    expect(keys.map(({ id, limits, expires }) => [id, limits.requestsPerMinute, expires])).toEqual([
      ['a', 7, null],
      ['a', 7, null],
    ]);
    expect(warnings).toEqual([]);
  });
});

describe('parseApiKeysVariable', () => {
  it('reports the number of an invalid entry without quoting it', () => {
    const { keys, warnings } = parseApiKeysVariable(`a:${secret('a')},b:hush`);
    expect(keys.map(({ id }) => id)).toEqual(['a']);
    expect(warnings).toEqual([expect.stringMatching(/^API_KEYS, entry 2 is skipped: the secret must be/)]);
    expect(warnings.join()).not.toContain('hush');
  });
});
