import { expect, it } from 'vitest';
import { noUsage, utcDay } from '../../gateway/api/usage.ts';
import { LedgerFile, ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { userId } from '../../keys/users.ts';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { keysCommand } from './keys-command.ts';

const corralKeysIn = (folder: TemporaryFolder) => {
  const env = { AUTH_KEYS_FILE: undefined, DATA_DIR: folder.path };
  return (...args: string[]) => runInProcess(keysCommand(), args, env);
};

const onlyKeyIn = async (folder: TemporaryFolder) => (await readKeyFile(folder.file('keys.json'))).keys[0];

it('a key is created with users and their limits, which update changes and takes away', async () => {
  await using folder = await temporaryFolder();
  const keys = corralKeysIn(folder);
  const limits = '--user-rpm 1 --user-tpm 2 --user-tpd 3 --user-concurrent 4'.split(' ');
  await keys('create', 'webui', '--users-from', 'X-OpenWebUI-User-Id', ...limits);
  expect(await onlyKeyIn(folder)).toMatchObject({
    usersFrom: 'X-OpenWebUI-User-Id',
    userLimits: { requestsPerMinute: 1, tokensPerMinute: 2, tokensPerDay: 3, concurrent: 4 },
    limits: {},
  });
  const { stdout } = await keys('show', 'webui');
  expect(stdout).toContain('told apart by X-OpenWebUI-User-Id');
  expect(stdout).toContain('1 requests/min, 2 tokens/min, 3 tokens/day, 4 concurrent');
  const { stderr } = await keys('update', 'webui', '--user-rpm', '9', '--user-tpd', 'default');
  expect(stderr).toMatch(/user-rpm +1 → 9\n +user-tpd +3 → default/);
  expect((await onlyKeyIn(folder))?.userLimits).toEqual({
    requestsPerMinute: 9,
    tokensPerMinute: 2,
    concurrent: 4,
  });
  await keys(
    'update',
    'webui',
    '--users-from',
    'none',
    ...limits.map((one) => (one.startsWith('-') ? one : 'default')),
  );
  expect(await onlyKeyIn(folder)).toMatchObject({ usersFrom: null, userLimits: {} });
  await keys('update', 'webui', '--user-rpm', '9', '--until', '1h');
  const listed = await keys('list');
  expect(listed.stderr).toContain('key "webui" has "userLimits", which have no effect without "usersFrom"');
});

it('a key that never expires and has no users may be asked for in words', async () => {
  await using folder = await temporaryFolder();
  await corralKeysIn(folder)('create', 'app', '--expires', 'never', '--users-from', 'none');
  expect(await onlyKeyIn(folder)).toMatchObject({ expires: null, usersFrom: null });
});

it.each(['Authorization', 'X-Corral-User', 'two words', ''])(
  'a key cannot tell users apart by %j',
  async (header) => {
    await using folder = await temporaryFolder();
    const { status, stderr } = await corralKeysIn(folder)('create', 'webui', '--users-from', header);
    expect([status, stderr]).toEqual([2, expect.stringContaining("option '--users-from <header>'")]);
  },
);

it('user limits without users are reported by the command that causes them, and when keys are listed', async () => {
  await using folder = await temporaryFolder();
  const keys = corralKeysIn(folder);
  const warning = 'key "webui" has "userLimits", which have no effect without "usersFrom"';
  const reports = async (...args: string[]) => (await keys(...args)).stderr.includes(warning);
  expect(await reports('create', 'webui', '--user-rpm', '9')).toBe(true);
  expect(await reports('list')).toBe(true);
  expect(await reports('create', 'app')).toBe(false);
  expect(await reports('update', 'webui', '--users-from', 'X-User-Id')).toBe(false);
  expect(await reports('list')).toBe(false);
  expect(await reports('update', 'webui', '--users-from', 'none')).toBe(true);
  expect(await reports('update', 'webui', '--user-rpm', 'default')).toBe(false);
  expect(await reports('update', 'webui', '--user-tpd', '9', '--until', '1h')).toBe(true);
});

it('the line of a user is found by what its client sends', async () => {
  await using folder = await temporaryFolder();
  const keys = corralKeysIn(folder);
  await keys('create', 'webui', '--users-from', 'x-user');
  await keys('create', 'app');
  const { stdout: id } = await keys('user-id', 'webui', ' jörg ');
  expect(id).toBe(userId('webui', Buffer.from('jörg')));
  expect((await keys('user-id', 'app', 'jörg')).stderr).toContain('does not tell its users apart');
  expect(await keys('user-id', 'webui', 'x'.repeat(257))).toMatchObject({ status: 2, stdout: '' });

  const day = utcDay(Date.now());
  const row = { ...noUsage, keyId: 'webui', day, model: '' };
  const ledger = new LedgerFile(folder.file(ledgerFileName));
  ledger.write(
    [
      { ...row, requests: 5, input: 50 },
      { ...row, requests: 2, input: 20, user: id },
      { ...row, requests: 1, input: 10, user: 'other' },
    ],
    [],
  );
  ledger.close();
  const { stdout } = await keys('usage', 'webui', '--by-user', '--json');
  const { usage, total } = JSON.parse(stdout);
  expect(usage.map((line: Record<string, unknown>) => [line.user, line.requests, line.inputTokens])).toEqual(
    [
      [id, 2, 20],
      ['none', 2, 20],
      ['other', 1, 10],
    ].sort(),
  );
  expect(total.requests).toBe(5);
  const { stdout: csv } = await keys('usage', 'webui', '--by', 'day,user', '--csv');
  expect(csv).toContain(`\r\n${day},${id},2,0,20,`);
  expect((await keys('usage', '--by', 'model,user')).status).toBe(2);
});
