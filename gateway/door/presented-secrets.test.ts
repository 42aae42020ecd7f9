import { describe, expect, it } from 'vitest';
import { presentedSecrets } from './presented-secrets.ts';

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
  ])('%j', (headers, secrets) => {
    expect(presentedSecrets(headers)).toEqual(secrets);
  });
});
