import { readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readKeyFile } from '../../keys/key-file.ts';
import { DAY, HOUR } from '../../settings/durations.ts';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { keysCommand } from './keys-command.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await keys('create', 'app', '--tpd', '100', '--note', 'hers', '--quiet');
});

const keys = (...args: string[]) =>
  runInProcess(keysCommand(), args, { AUTH_KEYS_FILE: undefined, DATA_DIR: folder.path });
const update = (options: string) => keys('update', 'app', ...options.split(' '));
const app = async () => (await readKeyFile(folder.file('keys.json'))).keys[0];

describe('corral keys update', () => {
  it('changes what is named and nothing else, and shows before and after', async () => {
    const before = await app();
    const { status, stdout, stderr } = await update('--rpm 120 --priority high --scopes inference,admin');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr.split('\n')).toEqual([
      `Updated key "app" in ${folder.file('keys.json')}:`,
      '  scopes    inference,batch → inference,admin',
      '  rpm       default → 120',
      '  priority  normal → high',
    ]);
    expect(await app()).toEqual({
      ...before,
      scopes: ['inference', 'admin'],
      priority: 'high',
      limits: { tokensPerDay: 100, requestsPerMinute: 120 },
    });
    expect((await update('--rpm 120')).stderr).toContain('is like that already');
  });

  it('takes own values away with default', async () => {
    await update('--expires 9d --models demo --priority low');
    await update('--tpd default --expires default --models default --priority default --note default');
    const { limits, ...more } = (await app()) ?? {};
    expect(limits).toEqual({});
    expect(more).toMatchObject({ expires: null, models: ['*'], priority: 'normal', note: '' });
    expect(await readFile(folder.file('keys.json'), 'utf8')).not.toContain('tokensPerDay');
  });

  it.each(['create', 'update'])('%s takes never and none for no value', async (verb) => {
    await keys('remove', 'app', '--yes');
    if (verb === 'update') await keys('create', 'app', '--expires', '9d', '--users-from', 'X-User');
    expect(await keys(verb, 'app', '--expires', 'never', '--users-from', 'none')).toMatchObject({
      status: 0,
    });
    expect(await app()).toMatchObject({ expires: null, usersFrom: null });
  });

  it('keeps unknown fields', async () => {
    const file = JSON.parse(await readFile(folder.file('keys.json'), 'utf8'));
    file.keys[0].team = 'x';
    file.keys[0].limits.burst = 9;
    await writeFile(folder.file('keys.json'), JSON.stringify(file));
    await update('--rpm 1');
    expect(JSON.parse(await readFile(folder.file('keys.json'), 'utf8')).keys[0]).toMatchObject({
      team: 'x',
      limits: { burst: 9, tokensPerDay: 100, requestsPerMinute: 1 },
    });
  });

  it('checks models as create does, and prints the key as JSON', async () => {
    const models = [{ id: 'v1', hf: 'u/r' }];
    const aliases = [{ name: 'latest', targets: [{ model: 'v1' }] }];
    await writeFile(folder.file('models.json'), JSON.stringify({ version: 1, models, aliases }));
    expect(await update('--models latest')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('alias'),
    });
    const { stdout } = await update('--models v1 --json');
    expect(JSON.parse(stdout)).toMatchObject({ id: 'app', models: ['v1'], state: 'active' });
  });

  it.each([
    ['--rpm none', /or default/],
    ['--expires 2020-01-01', /in the past/],
    ['--expires 100000000d', /must be a duration/],
    ['--priority top', /high, normal, low/],
    ['--until 3h', /--until needs a limit: --rpm/],
    ['--until 3h --rpm default', /needs a number for --rpm/],
    ['--until 3h --rpm 5 --priority high', /--until is for --rpm, .*: change --priority with/],
    ['--until 3h --user-rpm default', /needs a number for --user-rpm/],
    ['--until 2020-01-01 --rpm 5', /in the past/],
    ['--until soon --rpm 5', /tomorrow/],
    ['--until 3 --rpm 5', /tomorrow/],
  ])('rejects %s and changes nothing', async (options, message) => {
    const before = await app();
    expect(await update(options)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(await app()).toEqual(before);
  });

  it.each([
    ['inline', 'key "inline" is in the variable API_KEYS, which no command can change'],
    [`oidc-${'1'.repeat(32)}`, 'signs in with tokens and has no key: its rights are those of a rule'],
  ])('says where %s is, if not in the file', async (id, message) => {
    const env = { AUTH_KEYS_FILE: undefined, DATA_DIR: folder.path, API_KEYS: 'inline:sk-0123456789abcdef' };
    for (const verb of [
      ['update', id, '--rpm', '1'],
      ['rotate', id],
      ['disable', id],
      ['show', id],
    ]) {
      const { status, stderr } = await runInProcess(keysCommand(), verb, env);
      expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  it('rejects a command without a change, and an unknown key', async () => {
    expect(await keys('update', 'app')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('nothing to change: name at least one option'),
    });
    expect(await keys('update', 'ap', '--rpm', '1')).toMatchObject({
      status: 1,
      stderr: 'error: no key "ap": did you mean "app"?',
    });
  });
});

describe('corral keys update --until', () => {
  it('sets limits with an end, which list and show name', async () => {
    const { stderr } = await update('--tpd 200 --until 2099-01-01');
    expect(stderr).toContain('tpd  100 → 200 until 2099-01-01 00:00Z, then 100');
    expect(await app()).toMatchObject({
      limits: { tokensPerDay: 100 },
      temporaryLimits: [{ limits: { tokensPerDay: 200 }, until: Date.UTC(2099, 0, 1) }],
    });
    await update('--tpd 0 --concurrent 3 --until 2098-01-01');
    expect((await keys('list')).stdout).toContain(
      'unlimited tokens/day until 2098-01-01 00:00Z, 3 concurrent until 2098-01-01 00:00Z',
    );
    expect((await keys('show', 'app')).stdout).toMatch(
      /^tokens\/day +unlimited until 2098-01-01 00:00Z, then 200 until 2099-01-01 00:00Z, then 100$/m,
    );
    await update('--no-temporary');
    expect(await readFile(folder.file('keys.json'), 'utf8')).not.toContain('temporaryLimits');
    expect(await app()).toMatchObject({ limits: { tokensPerDay: 100 } });
  });

  it('sets limits of each user with an end, beside those of the key', async () => {
    await update('--users-from X-User --user-tpd 50');
    const { stderr } = await update('--user-tpd 500 --tpd 900 --until 2099-01-01');
    expect(stderr).toContain('user-tpd  50 → 500 until 2099-01-01 00:00Z, then 50');
    expect(stderr).toMatch(/^ {2}tpd +100 → 900 until 2099-01-01 00:00Z, then 100$/m);
    await update('--user-tpd 0 --until 2098-01-01');
    expect(await app()).toMatchObject({
      userLimits: { tokensPerDay: 50 },
      temporaryLimits: [
        { limits: { tokensPerDay: 900 }, userLimits: { tokensPerDay: 500 }, until: Date.UTC(2099, 0, 1) },
        { limits: {}, userLimits: { tokensPerDay: 0 }, until: Date.UTC(2098, 0, 1) },
      ],
    });
    const { stdout } = await keys('show', 'app');
    expect(stdout).toMatch(/^user limits +unlimited tokens\/day until 2098-01-01 00:00Z$/m);
    expect(stdout).toMatch(
      /^user tokens\/day +unlimited until 2098-01-01 00:00Z, then 500 until 2099-01-01 00:00Z, then 50$/m,
    );
    await update('--user-tpd 7 --until 2099-01-01');
    expect((await app())?.temporaryLimits).toEqual([
      { limits: { tokensPerDay: 900 }, userLimits: {}, until: Date.UTC(2099, 0, 1) },
      { limits: {}, userLimits: { tokensPerDay: 7 }, until: Date.UTC(2099, 0, 1) },
    ]);
  });

  it('takes tomorrow, durations and times with an offset', async () => {
    const earliest = Date.now();
    await update('--rpm 1 --until tomorrow');
    await update('--tpm 1 --until 3h');
    await update('--concurrent 1 --until 2099-01-01T02:00+02:00');
    const ends = ((await app())?.temporaryLimits ?? []).map(({ until }) => until);
    expect((ends[0] ?? 1) % DAY).toBe(0);
    expect((ends[0] ?? 0) - earliest).toBeLessThanOrEqual(DAY);
    expect((ends[1] ?? 0) - earliest).toBeGreaterThanOrEqual(3 * HOUR);
    expect(ends[2]).toBe(Date.UTC(2099, 0, 1));
  });
});
