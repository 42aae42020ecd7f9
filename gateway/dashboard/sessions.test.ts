import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Key, keyDefaults } from '../../keys/key.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import { fingerprint } from '../../keys/secret.ts';
import { isSessionValid, Sessions } from './sessions.ts';

const [today, before] = [fingerprint('today'), fingerprint('before')];
const ops: Key = { ...keyDefaults, id: 'ops', hint: '', fingerprint: today, scopes: ['admin'] };
const session = { keyId: 'ops', fingerprint: today, expiresAt: 1000 };
const isValid = (change: Partial<Key>, now = 500, of: object = {}) =>
  isSessionValid({ ...session, ...of }, new KeyRing([{ ...ops, ...change }]), now);

describe('a session is valid', () => {
  it('while its key has the admin scope, until it expires', () => {
    expect(isValid({})).toBe(true);
    expect(isValid({}, 1000)).toBe(false);
    expect(isValid({ disabled: true })).toBe(false);
    expect(isValid({ expires: 500 })).toBe(false);
    expect(isValid({ scopes: ['inference'] })).toBe(false);
    expect(isValid({ id: 'other' })).toBe(false);
  });

  it('with the secret from before a rotation while that secret is accepted', () => {
    const rotated = { previous: { fingerprint: before, validUntil: 600 } };
    expect(isValid(rotated, 599, { fingerprint: before })).toBe(true);
    expect(isValid(rotated, 600, { fingerprint: before })).toBe(false);
    expect(isValid({ fingerprint: fingerprint('next') })).toBe(false);
  });
});

describe('sessions', () => {
  let file: string;
  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'corral-sessions-')), 'dashboard/sessions.json');
  });
  afterEach(() => rmSync(dirname(dirname(file)), { recursive: true, force: true, maxRetries: 3 }));
  const sessions = (keys = [ops]) => new Sessions({ getKeyRing: () => new KeyRing(keys), file });
  const lasts = 12 * 3_600_000;

  it('are found by id for twelve hours', () => {
    const all = sessions();
    const id = all.create(ops, false, 0);
    expect(all.find(id, lasts - 1)).toMatchObject({ keyId: 'ops' });
    expect(all.find(id, lasts)).toBeUndefined();
    expect(all.find(id, 0)).toBeUndefined();
    expect(all.find('another', 0)).toBeUndefined();
    expect(all.find(undefined, 0)).toBeUndefined();
  });

  it('are limited in number; the oldest is dropped', () => {
    const all = sessions();
    const ids = Array.from({ length: 201 }, () => all.create(ops, false, 0));
    expect(ids.filter((id) => all.find(id, 1) === undefined)).toEqual([ids[0]]);
  });

  it('are gone after logout', () => {
    const all = sessions();
    const id = all.create(ops, false, 0);
    all.delete(id);
    expect(all.find(id, 0)).toBeUndefined();
  });

  it('outlast a restart, without what would log in; a logout does, too', async () => {
    const before = sessions();
    const [id, gone] = [before.create(ops, false, 0), before.create(ops, false, 0)];
    before.delete(gone);
    await before.flush();
    expect(sessions().find(id, 1)).toMatchObject({ keyId: 'ops' });
    expect(sessions().find(gone, 1)).toBeUndefined();
    expect(sessions([{ ...ops, scopes: ['inference'] }]).find(id, 1)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).not.toContain(id);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are known to all gateways that share their file; so is a logout', async () => {
    const [one, two] = [sessions(), sessions()];
    const ids = [one, two].map((all) => all.create(ops, false, 0));
    const [first, second] = ids;
    expect([one.find(first, 1), two.find(second, 1)].map((session) => session?.keyId)).toEqual([
      'ops',
      'ops',
    ]);
    await Promise.all([one.flush(), two.flush()]);
    for (const all of [one, two, sessions()])
      expect(ids.map((id) => all.find(id, 1)?.keyId)).toEqual(['ops', 'ops']);
    one.delete(second);
    await one.flush();
    for (const all of [one, two, sessions()])
      expect(ids.map((id) => all.find(id, 1)?.keyId)).toEqual(['ops', undefined]);
  });

  it('stay for the gateway that knows their key when another does not know it', async () => {
    const [one, other] = [sessions(), sessions([])];
    const id = one.create(ops, false, 0);
    await one.flush();
    expect(other.find(id, 1)).toBeUndefined();
    await other.flush();
    expect(one.find(id, 1)).toMatchObject({ keyId: 'ops' });
    expect(one.find(id, lasts)).toBeUndefined();
    await one.flush();
    expect(readFileSync(file, 'utf8')).toBe('[]');
  });

  it('end with the process where nothing can be written', async () => {
    writeFileSync(dirname(file), '');
    const all = sessions();
    const [id, gone] = [all.create(ops, false, 0), all.create(ops, false, 0)];
    all.delete(gone);
    await all.flush();
    expect([all.find(id, 1)?.keyId, all.find(gone, 1)]).toEqual(['ops', undefined]);
    expect(all.find('another', 1)).toBeUndefined();
  });

  it.each(['', '{}', '[1,["a"],["b",{}],null]', '[["c",{"keyId":1}]]'])(
    'begin empty with a file of %j',
    (text) => {
      mkdirSync(dirname(file));
      writeFileSync(file, text);
      const all = sessions();
      expect(all.find('another', 0)).toBeUndefined();
      expect(all.find(all.create(ops, false, 0), 0)).toBeDefined();
    },
  );
});
