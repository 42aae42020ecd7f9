import { describe, expect, it } from 'vitest';
import { presentedSecrets } from './authenticate.ts';

/** The string that Node gives for a header of UTF-8 bytes. */
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('presentedSecrets', () => {
  it.each([
    [{ authorization: 'Bearer sk-a' }, ['sk-a']],
    [{ authorization: 'BEARER \t sk-a ' }, ['sk-a']],
    [{ authorization: 'sk-a' }, ['sk-a']],
    [{ authorization: 'Bearersk-a' }, ['Bearersk-a']],
    [{ authorization: '' }, []],
    [{ 'x-api-key': 'sk-x', 'api-key': 'sk-y', authorization: 'Bearer sk-a' }, ['sk-x', 'sk-y', 'sk-a']],
    [{ 'x-api-key': ['sk-x', 'sk-y'] }, []],
    [{}, []],
    [{ 'x-api-key': latin1('schlüssel') }, ['schlüssel', latin1('schlüssel')]],
    [{ authorization: `Bearer ${latin1('łódź')}` }, ['łódź', latin1('łódź')]],
    [{ 'api-key': 'schl\u00fcssel' }, ['schl\u00fcssel']],
  ])('%j', (headers, secrets) => {
    expect(presentedSecrets(headers)).toEqual(secrets);
  });
});
