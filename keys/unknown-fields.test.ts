import { describe, expect, it } from 'vitest';
import { formatKeysJson, parseKeysJson } from './keys-json.ts';
import { createKey } from './new-key.ts';

function warningsOf(fields: object, more: object = {}): readonly string[] {
  const { key } = createKey('app', {}, 0);
  const [record] = JSON.parse(formatKeysJson({ keys: [key], extraFields: {} })).keys;
  return parseKeysJson(JSON.stringify({ version: 1, ...more, keys: [{ ...record, ...fields }] })).warnings;
}

describe('fields of a key file that are not known', () => {
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
    [{ limits: { expires: 1 } }, '"expires" in its limits; it has no effect, did you mean "expires"?'],
  ])('%j is told, with what may have been meant', (fields, words) => {
    expect(warningsOf(fields)).toEqual([`key "app" has an unknown field ${words}`]);
  });

  it('are told each by its place, those of the file as a whole and of an old secret too', () => {
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

  it('there are none in what we write, and of very many the first are told and the others counted', () => {
    expect(
      warningsOf({ limits: { requestsPerMinute: 1, tokensPerMinute: 1, tokensPerDay: 1, concurrent: 1 } }),
    ).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`field-${index}`, 1]));
    const told = warningsOf(many);
    expect([told.length, told.at(-1)]).toEqual([51, 'the key file has 10 more unknown fields']);
  });

  it('have their names cut and quoted, and their values kept to themselves', () => {
    const [told] = warningsOf({ [`sk-${'a'.repeat(100)}\n`]: 'sk-secret' });
    expect(told).toBe(`key "app" has an unknown field "sk-${'a'.repeat(37)}…"; it has no effect`);
  });
});
