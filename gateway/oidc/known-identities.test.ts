import { readFileSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { parseClaimsFile } from '../../keys/claims-file.ts';
import { identityId } from '../../keys/identity.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { KnownIdentities } from './known-identities.ts';

const text = '{"version":1,"rules":[{"name":"staff","when":{},"scopes":["inference"]}]}';
const rules = () => parseClaimsFile(text);
const issuer = 'https://issuer.example';
const log = pino({ level: 'silent' });
const HOUR = 3_600_000;
const known = (file?: string) => new KnownIdentities({ issuer, file, rules, log });

it('an identity keeps the rights of its rule for 25 hours after its last token', () => {
  const identities = known();
  expect(identities.see('a', 'staff', 0)).toBe(true);
  expect(identities.see('a', 'staff', HOUR)).toBe(false);
  expect(identities.find('a', 26 * HOUR - 1)).toMatchObject({
    id: 'a',
    scopes: ['inference'],
    expires: 26 * HOUR,
  });
  expect(identities.find('a', 26 * HOUR)).toBeUndefined();
  expect(identities.find('b', 0)).toBeUndefined();
});

it('a rule that is gone, and a token without rights, take them away', () => {
  const identities = known();
  identities.see('a', 'gone', 0);
  expect(identities.find('a', 1)).toBeUndefined();
  identities.see('a', 'staff', 1);
  identities.reject('a', 2);
  expect(identities.find('a', 3)).toBeUndefined();
  identities.reject('stranger', 2);
  expect([...identities.ids]).toEqual(['a']);
});

it('a rule before its own that names the subject alone applies without a token, any other one does not', () => {
  const staff = { name: 'staff', when: { groups: 'staff' }, scopes: ['inference'] };
  const rulesWith = (...before: readonly object[]) =>
    parseClaimsFile(JSON.stringify({ version: 1, rules: [...before, staff] }));
  const blocking = (when: object, name = 'blocked') => ({ name, when, scopes: [] });
  let current = rulesWith();
  const identities = new KnownIdentities({ issuer, file: undefined, rules: () => current, log });
  const ann = identityId(issuer, 'ann');
  identities.see(ann, 'staff', 0);
  const scopesWith = (...before: readonly object[]) => {
    current = rulesWith(...before);
    return identities.find(ann, 1)?.scopes;
  };
  expect(scopesWith(blocking({ sub: 'ann' }))).toEqual([]);
  expect(scopesWith(blocking({ sub: ['bob', 'ann', 7] }))).toEqual([]);
  expect(scopesWith(blocking({ sub: 'ann', iss: issuer }))).toEqual([]);
  expect(scopesWith(blocking({ sub: 'bob' }), blocking({ sub: 'ann' }, 'too'))).toEqual([]);
  expect(scopesWith(blocking({ sub: 'bob' }))).toEqual(['inference']);
  expect(scopesWith(blocking({ sub: 'ann', iss: 'https://other.example' }))).toEqual(['inference']);
  expect(scopesWith(blocking({ sub: 'ann', groups: 'left' }))).toEqual(['inference']);
  expect(scopesWith(blocking({ groups: 'ann' }))).toEqual(['inference']);
  current = [...rulesWith(), ...rulesWith(blocking({ sub: 'ann' }))];
  expect(identities.find(ann, 1)?.scopes).toEqual(['inference']);
  identities.reject(ann, 2);
  expect(scopesWith({ ...blocking({ sub: 'ann' }), scopes: ['admin'] })).toBeUndefined();
});

it('at most 10,000 are kept', () => {
  const identities = known();
  for (let n = 0; n < 10_001; n++) identities.see(`id-${n}`, 'staff', n);
  expect([...identities.ids].length).toBe(10_000);
  expect(identities.find('id-0', 1)).toBeUndefined();
  expect(identities.find('id-1', 1)).toBeDefined();
});

it('of too many, those are forgotten that have not signed in for longest', () => {
  const identities = known();
  for (let n = 0; n < 10_000; n++) identities.see(`id-${n}`, 'staff', n);
  identities.see('id-0', 'staff', HOUR);
  identities.see('new', 'staff', HOUR);
  expect(identities.find('id-0', HOUR)).toBeDefined();
  expect(identities.find('id-1', HOUR)).toBeUndefined();
});

it('of too many on disk, the latest are kept', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('identities.json');
  const now = Date.now();
  const first = known(file);
  for (let n = 0; n < 10_000; n++) first.see(`id-${n}`, 'staff', now + n);
  await first.close();
  const second = known(file);
  second.see('new', 'staff', now + HOUR);
  expect(second.find('id-9999', now + HOUR)).toBeDefined();
  expect(second.find('id-0', now + HOUR)).toBeUndefined();
  await second.close();
});

it('what is on disk is read, merged with that of other gateways, and loses what is too old', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('identities.json');
  const now = Date.now();
  const first = known(file);
  const second = known(file);
  first.see('a', 'staff', now - 1);
  first.see('old', 'staff', now - 26 * HOUR);
  await first.close();
  second.see('b', 'staff', now);
  second.see('a', 'gone', now - 2);
  await second.close();
  expect(JSON.parse(readFileSync(file, 'utf8')).identities).toEqual({
    a: { rule: 'staff', seen: now - 1 },
    b: { rule: 'staff', seen: now },
  });
  expect(known(file).find('a', now)).toBeDefined();
});

it.each(['', 'nonsense', '{"identities":{"a":{"rule":1}}}', '[]'])(
  'an unreadable file is as good as none: %j',
  async (content) => {
    await using folder = await temporaryFolder();
    const file = folder.file('identities.json');
    writeFileSync(file, content);
    const identities = known(file);
    expect([...identities.ids]).toEqual([]);
    identities.see('a', 'staff', Date.now());
    await identities.close();
    expect(known(file).find('a', Date.now())).toBeDefined();
  },
);

it('a new identity, and one with another rule, is on disk before its first request; one that is known costs no write', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('identities.json');
  const onDisk = () => JSON.parse(readFileSync(file, 'utf8')).identities;
  const identities = known(file);
  const now = Date.now();
  for (const id of ['a', 'b', 'c']) identities.see(id, 'staff', now);
  await Promise.all([identities.save('a'), identities.save('b')]);
  expect(Object.keys(onDisk()).toSorted()).toEqual(['a', 'b', 'c']);
  identities.see('a', 'other', now + 1);
  identities.reject('b', now + 1);
  await Promise.all([identities.save('a'), identities.save('b'), identities.save('stranger')]);
  expect(onDisk()).toMatchObject({ a: { rule: 'other' }, b: { rule: '' } });
  writeFileSync(file, 'changed');
  identities.see('a', 'other', now + 2);
  await identities.save('a');
  expect(readFileSync(file, 'utf8')).toBe('changed');
});

it('a sign-in goes on where nothing can be written', async () => {
  const identities = known('/proc/none/identities.json');
  identities.see('a', 'staff', Date.now());
  await identities.save('a');
  expect(identities.find('a', Date.now())).toBeDefined();
});
