import { describe, expect, it } from 'vitest';
import { userId, usersFromProblem } from './users.ts';

describe('the header that tells users apart', () => {
  it.each(['X-OpenWebUI-User-Id', 'x-user', 'User', 'x_user', 'x-litellm-end-user-id'])(
    'may be %s',
    (name) => {
      expect(usersFromProblem(name)).toBe(undefined);
    },
  );

  it.each(['Authorization', 'COOKIE', 'x-api-key', 'Host', 'X-Request-Id', 'X-Corral-User', 'Content-Type'])(
    'may not be %s',
    (name) => {
      expect(usersFromProblem(name)).toBe(`must not be "${name}", which has another meaning`);
    },
  );

  it.each(['', 'X User', 'X-User:', 'x-üser', `x-${'u'.repeat(63)}`])('may not be %j', (name) => {
    expect(usersFromProblem(name)).toMatch(/^must be the name of a header/);
  });
});

describe('the id of a user', () => {
  const id = (key: string, value: string) => userId(key, Buffer.from(value));

  it('is stable, short, and not the value', () => {
    expect(id('app', 'alice')).toBe(id('app', 'alice'));
    expect(id('app', 'alice')).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differs between values and between keys', () => {
    const ids = [id('app', 'alice'), id('app', 'bob'), id('web', 'alice'), id('ap', 'palice')];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('exists for 1 to 256 bytes', () => {
    expect([id('app', ''), id('app', 'x'.repeat(257)), id('app', 'ü'.repeat(129))]).toEqual(
      Array(3).fill(undefined),
    );
    expect(id('app', 'x'.repeat(256))).toBeDefined();
  });
});
