import { describe, expect, it } from 'vitest';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { createKey, fingerprint } from './secret.ts';

const print = fingerprint('a secret');
const file = (...keys: unknown[]) => JSON.stringify({ version: 1, keys });
const errorOf = (text: string): string => {
  try {
    parseKeysJson(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

describe('parseKeysJson', () => {
  it('fills in defaults for missing fields', () => {
    expect(parseKeysJson(file({ id: 'app', fingerprint: print })).keys).toEqual([
      {
        id: 'app',
        fingerprint: print,
        hint: '…',
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
      },
    ]);
  });

  it('reads back every field that was written', () => {
    const { key } = createKey(
      'app',
      {
        expires: Date.UTC(2027, 0, 1),
        scopes: ['admin', 'metrics'],
        models: ['demo'],
        priority: 'high',
        limits: { requestsPerMinute: 0, tokensPerMinute: 1, tokensPerDay: 2, concurrent: 3 },
        usersFrom: 'X-OpenWebUI-User-Id',
        userLimits: { requestsPerMinute: 5, tokensPerMinute: 6, tokensPerDay: 7, concurrent: 1 },
        note: 'for tests',
        disabled: true,
        temporaryLimits: [{ limits: { tokensPerDay: 9 }, until: Date.UTC(2026, 5, 1) }],
      },
      Date.UTC(2026, 0, 1),
    );
    const rotated = { ...key, previous: { fingerprint: print, validUntil: Date.UTC(2026, 1, 1) } };
    expect(parseKeysJson(formatKeysJson({ keys: [rotated], extraFields: {} })).keys).toEqual([rotated]);
  });

  it('keeps unknown fields of the file, a key, its limits and its previous secret', () => {
    const written = {
      version: 1,
      owner: { team: 'x' },
      keys: [
        {
          ...JSON.parse(formatKeysJson({ keys: [createKey('app', {}, 0).key], extraFields: {} })).keys[0],
          limits: { imagesPerDay: 4 },
          previous: { fingerprint: print, validUntil: '2027-01-01T00:00:00.000Z', usedBy: 'someone' },
          colour: 'red',
        },
      ],
    };
    expect(JSON.parse(formatKeysJson(parseKeysJson(JSON.stringify(written))))).toEqual(written);
  });

  it.each([
    ['', /^is not valid JSON/],
    ['{"version":1,"keys":[', /^is not valid JSON/],
    ['{"version":1,\n"keys":[,]}', /line 2 column 9|cut off/],
    ['[]', /^the file: /],
    ['{"keys":[]}', /^version: /],
    ['{"version":2,"keys":"elsewhere"}', /version 2, but this llama-corral supports version 1: update/],
    ['{"version":1}', /^keys: /],
    [file({ fingerprint: print }), /^keys\[0\]\.id: /],
    [
      file({ id: 'app', fingerprint: print, usersFrom: 'Authorization' }),
      /^keys\[0\]\.usersFrom \(key "app"\): must not be "Authorization"/,
    ],
    [
      file({ id: 'app', fingerprint: print, usersFrom: 'X User' }),
      /^keys\[0\]\.usersFrom \(key "app"\): must be the name of a header/,
    ],
    [file({ id: 'a b', fingerprint: print }), /^keys\[0\]\.id \(key "a b"\): must be 1 to 64/],
    [
      file({ id: 'app', fingerprint: 'sha256:12' }),
      /^keys\[0\]\.fingerprint \(key "app"\): must be "sha256:"/,
    ],
    [
      file({ id: 'app', fingerprint: print, expires: 'soon' }),
      /keys\[0\]\.expires \(key "app"\): must be an ISO time/,
    ],
    [
      file({ id: 'app', fingerprint: print, scopes: ['root'] }),
      /keys\[0\]\.scopes\[0\] \(key "app"\): .*"inference"/,
    ],
    [
      file(
        { id: 'a', fingerprint: print },
        { id: 'b', fingerprint: fingerprint('b'), limits: { concurrent: -1 } },
      ),
      /^keys\[1\]\.limits\.concurrent \(key "b"\): must be an integer ≥ 0$/,
    ],
    [
      file({ id: 'a', fingerprint: print, temporaryLimits: [{ limit: {}, until: '2027-01-01' }] }),
      /^keys\[0\]\.temporaryLimits\[0\] \(key "a"\): needs "limits" or "userLimits"$/,
    ],
    [
      file({ id: 'a', fingerprint: print }, { id: 'a', fingerprint: fingerprint('b') }),
      /two keys have the id "a"/,
    ],
    [
      file({ id: 'a', fingerprint: print }, { id: 'b', fingerprint: print }),
      /"a" and "b" have the same fingerprint/,
    ],
  ])('rejects %s and reports the place of the error', (text, message) => {
    expect(errorOf(text)).toMatch(message);
  });

  it('reports all errors at once', () => {
    const message = errorOf(file({ id: 'app', fingerprint: 'x', disabled: 'no' }));
    expect(message).toContain('keys[0].fingerprint');
    expect(message).toContain('keys[0].disabled');
  });

  it('quotes nothing of invalid JSON, which may contain a secret', () => {
    expect(errorOf('{"keys": sk-0123456789}')).not.toContain('0123456789');
  });
});

function warningsOf(fields: object, more: object = {}): readonly string[] {
  const { key } = createKey('app', {}, 0);
  const [record] = JSON.parse(formatKeysJson({ keys: [key], extraFields: {} })).keys;
  return parseKeysJson(JSON.stringify({ version: 1, ...more, keys: [{ ...record, ...fields }] })).warnings;
}

it('temporary limits may be those of users alone; one that is misspelt is reported', () => {
  const { key } = createKey('app', { usersFrom: 'x-user' }, 0);
  const text = formatKeysJson({ keys: [key], extraFields: {} });
  const own =
    '"temporaryLimits": [{"userLimits": {"tokensPerDay": 5, "rpm": 1}, "until": "2027-01-01T00:00:00Z"}], ';
  const { keys, warnings } = parseKeysJson(text.replace('"note"', `${own}"note"`));
  expect(keys[0]?.temporaryLimits).toMatchObject([{ limits: {}, userLimits: { tokensPerDay: 5 } }]);
  expect(warnings).toEqual([
    'key "app" has an unknown field "rpm" in its temporaryLimits; it has no effect, did you mean "requestsPerMinute"?',
  ]);
});

it('of a field that is there twice in a key file, the first is reported to have no effect', () => {
  const { key } = createKey('app', { scopes: ['admin'] }, 0);
  const text = formatKeysJson({ keys: [key], extraFields: {} });
  const { keys, warnings } = parseKeysJson(text.replace('"note"', '"scopes": ["inference"], "note"'));
  expect(keys[0]?.scopes).toEqual(['inference']);
  expect(warnings).toEqual(['the key file has the field "scopes" twice in one object; only the last counts']);
});

describe('unknown fields of a key file', () => {
  it.each([
    [{ enabled: false }, '"enabled"; it has no effect, did you mean "disabled"?'],
    [{ Enabled: false }, '"Enabled"; it has no effect, did you mean "disabled"?'],
    [{ disable: true }, '"disable"; it has no effect, did you mean "disabled"?'],
    [{ Disabled: true }, '"Disabled"; it has no effect, did you mean "disabled"?'],
    [
      { requestsPerMinute: 1 },
      '"requestsPerMinute"; it has no effect, did you mean "requestsPerMinute" in "limits"?',
    ],
    [{ rpm: 1 }, '"rpm"; it has no effect, did you mean "requestsPerMinute" in "limits"?'],
    [{ limit: {} }, '"limit"; it has no effect, did you mean "limits"?'],
    [{ expires_at: '2027' }, '"expires_at"; it has no effect, did you mean "expires"?'],
    [{ scope: ['admin'] }, '"scope"; it has no effect, did you mean "scopes"?'],
    [{ model: 'a' }, '"model"; it has no effect, did you mean "models"?'],
    [{ team: 'red' }, '"team"; it has no effect'],
    [{ limits: { rpm: 1 } }, '"rpm" in its limits; it has no effect, did you mean "requestsPerMinute"?'],
    [
      { limits: { requests_per_minute: 1 } },
      '"requests_per_minute" in its limits; it has no effect, did you mean "requestsPerMinute"?',
    ],
    [
      { limits: { RequestsPerMinute: 1 } },
      '"RequestsPerMinute" in its limits; it has no effect, did you mean "requestsPerMinute"?',
    ],
    [
      { limits: { tokensPerDays: 1 } },
      '"tokensPerDays" in its limits; it has no effect, did you mean "tokensPerDay"?',
    ],
    [
      { limits: { expires: 1 } },
      '"expires" in its limits; it has no effect, did you mean "expires" of the key itself?',
    ],
    [
      { userLimits: { Note: 1 }, usersFrom: 'x-user' },
      '"Note" in its user limits; it has no effect, did you mean "note" of the key itself?',
    ],
    [
      { temporaryLimits: [{ limits: {}, until: '2027-01-01T00:00:00Z', note: 'x' }] },
      '"note" in its temporaryLimits; it has no effect, did you mean "note" of the key itself?',
    ],
    [
      { temporaryLimits: [{ limits: {}, until: '2027-01-01T00:00:00Z', rpm: 1 }] },
      '"rpm" in its temporaryLimits; it has no effect, did you mean "requestsPerMinute" in "limits"?',
    ],
  ])('%j is reported with the name that was probably meant', (fields, words) => {
    expect(warningsOf(fields)).toEqual([`key "app" has an unknown field ${words}`]);
  });

  it('are reported with their place, including those of the file itself and of an old secret', () => {
    const previous = {
      fingerprint: `sha256:${'0'.repeat(64)}`,
      validUntil: '2027-01-01T00:00:00Z',
      until: 1,
    };
    expect(warningsOf({ previous, limits: { rpm: 1, tpm: 2 } }, { defaults: {} })).toEqual([
      'the key file has an unknown field "defaults"; it has no effect',
      'key "app" has an unknown field "rpm" in its limits; it has no effect, did you mean "requestsPerMinute"?',
      'key "app" has an unknown field "tpm" in its limits; it has no effect, did you mean "tokensPerMinute"?',
      'key "app" has an unknown field "until" in its "previous"; it has no effect',
    ]);
  });

  it('do not occur in what we write; of very many, the first are reported and the others counted', () => {
    expect(
      warningsOf({ limits: { requestsPerMinute: 1, tokensPerMinute: 1, tokensPerDay: 1, concurrent: 1 } }),
    ).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`field-${index}`, 1]));
    const warnings = warningsOf(many);
    expect([warnings.length, warnings.at(-1)]).toEqual([51, 'the key file has 10 more unknown fields']);
  });

  it('are reported with cut and quoted names and without their values', () => {
    const [warning] = warningsOf({ [`sk-${'a'.repeat(100)}\n`]: 'sk-secret' });
    expect(warning).toBe(`key "app" has an unknown field "sk-${'a'.repeat(37)}…"; it has no effect`);
  });
});
