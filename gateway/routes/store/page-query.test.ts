import { expect, it } from 'vitest';
import { readNumber } from './page-query.ts';
import { readUploadFields } from './upload-fields.ts';

it.each<[string, number | string]>([
  ['0', 0],
  ['10001', 10001],
  ['-1', -1],
  ['1.5', 1.5],
  ['ten', 'ten'],
  ['', ''],
  ['0x10', '0x10'],
  ['1e3', '1e3'],
  [' 1', ' 1'],
  ['9'.repeat(400), '9'.repeat(400)],
])('the number in %j is %j', (given, number) => {
  expect(readNumber(given)).toBe(number);
});

it.each([
  [undefined, 'got nothing'],
  ['', 'got an empty string'],
  ['x', 'got a string'],
  ['600', 'got 600'],
  ['3600.5', 'got 3600.5'],
])('an expiry of %j seconds is rejected with what is wrong with it', (seconds, reason) => {
  const fields = new Map([
    ['purpose', 'batch'],
    ['expires_after[anchor]', 'created_at'],
  ]);
  if (seconds !== undefined) fields.set('expires_after[seconds]', seconds);
  expect(() => readUploadFields(fields)).toThrow(`expected an integer from 3600 to 2592000, ${reason}.`);
});
