import { describe, expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { createKey } from './new-key.ts';

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
  it('fills in what a record leaves out', () => {
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
        previous: null,
        note: '',
      },
    ]);
  });

  it('gives back every field that was written', () => {
    const { key } = createKey(
      'app',
      {
        expires: Date.UTC(2027, 0, 1),
        scopes: ['admin', 'metrics'],
        models: ['demo'],
        priority: 'high',
        limits: { requestsPerMinute: 0, tokensPerMinute: 1, tokensPerDay: 2, concurrent: 3 },
        note: 'for tests',
        disabled: true,
      },
      Date.UTC(2026, 0, 1),
    );
    const rotated = { ...key, previous: { fingerprint: print, validUntil: Date.UTC(2026, 1, 1) } };
    expect(parseKeysJson(formatKeysJson({ keys: [rotated], extraFields: {} })).keys).toEqual([rotated]);
  });

  it('keeps unknown fields of the file, of a record, of its limits and of its previous secret', () => {
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
      file({ id: 'a', fingerprint: print }, { id: 'a', fingerprint: fingerprint('b') }),
      /two keys have the id "a"/,
    ],
    [
      file({ id: 'a', fingerprint: print }, { id: 'b', fingerprint: print }),
      /"a" and "b" have the same fingerprint/,
    ],
  ])('refuses %s and says where the fault is', (text, message) => {
    expect(errorOf(text)).toMatch(message);
  });

  it('names every fault at once', () => {
    const message = errorOf(file({ id: 'app', fingerprint: 'x', disabled: 'no' }));
    expect(message).toContain('keys[0].fingerprint');
    expect(message).toContain('keys[0].disabled');
  });

  it('quotes nothing of a file that is not JSON, as it may hold a secret', () => {
    expect(errorOf('{"keys": sk-0123456789}')).not.toContain('0123456789');
  });
});
