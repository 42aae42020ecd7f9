import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readKeyFile } from '../../keys/key-file.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import { DAY } from '../../settings/durations.ts';
import { runCorral, runInProcess } from '../../test/harness/run-corral.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { keysCommand } from './keys-command.ts';

/** `corral keys …` as a process, in this data directory. */
const asProgram = (folder: TemporaryFolder, ...args: string[]) =>
  runCorral(['keys', ...args], { DATA_DIR: folder.path });

/** The same inside the process of the test. */
function corralKeysIn(folder: TemporaryFolder, more: Record<string, string> = {}) {
  const env = { AUTH_KEYS_FILE: undefined, DATA_DIR: folder.path, ...more };
  return (...args: string[]) => runInProcess(keysCommand(), args, env);
}

const ringOf = async (file: string) => new KeyRing((await readKeyFile(file)).keys);

describe('corral keys create', () => {
  it('prints only the secret to stdout, and stores only its fingerprint', async () => {
    await using folder = await temporaryFolder();
    const { status, stdout, stderr } = await asProgram(folder, 'create', 'app');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^sk-[\w-]{43}$/)]);
    expect(stderr).toContain(`Created key "app" in ${folder.file('keys.json')}`);
    expect(stderr).not.toContain(stdout);
    expect(await readFile(folder.file('keys.json'), 'utf8')).not.toContain(stdout.slice(3));
    expect((await stat(folder.file('keys.json'))).mode & 0o777).toBe(0o600);
    const ring = await ringOf(folder.file('keys.json'));
    expect(ring.authenticate(stdout, Date.now())).toMatchObject({ outcome: 'accepted', key: { id: 'app' } });
  });

  it('prints nothing else with --quiet, and one object with --json', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    expect(await keys('create', 'a', '--quiet')).toEqual({
      status: 0,
      stdout: expect.any(String),
      stderr: '',
    });
    const { stdout } = await keys('create', 'b', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ secret: expect.stringMatching(/^sk-/), key: { id: 'b' } });
  });

  it('accepts every property of a key', async () => {
    await using folder = await temporaryFolder();
    const options =
      '--scopes admin,metrics --models demo,big --rpm 5 --tpm 0 --tpd 7 --concurrent 2 --priority high --note hers';
    await corralKeysIn(folder)('create', 'app', ...options.split(' '), '--expires', '2099-12-31');
    const [key] = (await readKeyFile(folder.file('keys.json'))).keys;
    expect(key).toMatchObject({
      scopes: ['metrics', 'admin'],
      models: ['demo', 'big'],
      limits: { requestsPerMinute: 5, tokensPerMinute: 0, tokensPerDay: 7, concurrent: 2 },
      priority: 'high',
      note: 'hers',
      expires: Date.UTC(2099, 11, 31),
    });
  });

  it('compares the models of a key with models.json', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    const models = ['v1', 'v2'].map((id) => ({ id, hf: 'u/r' }));
    const aliases = [{ name: 'latest', targets: [{ model: 'v1' }, { model: 'v2' }] }];
    await writeFile(folder.file('models.json'), JSON.stringify({ version: 1, models, aliases }));
    const ofAlias = await keys('create', 'app', '--models', 'latest');
    expect(ofAlias).toMatchObject({ status: 2, stdout: '' });
    expect(ofAlias.stderr).toContain(
      '--models: "latest" is an alias, and a key has rights to models; with --models v1,v2 it can use the alias',
    );
    expect((await keys('list')).stdout).not.toContain('app');
    const early = await keys('create', 'early', '--models', 'v1,v3');
    expect(early.status).toBe(0);
    expect(early.stderr).toContain('There is no model "v3" in');
    expect((await keys('create', 'app', '--models', 'v1,v2')).stderr).not.toContain('no model');
    await writeFile(folder.file('models.json'), 'damaged');
    expect((await keys('create', 'more', '--models', 'v1')).status).toBe(0);
  });

  it('loses no key when a dozen programs create one at once', async () => {
    await using folder = await temporaryFolder();
    const ids = Array.from({ length: 12 }, (_, n) => `key-${n}`);
    const secrets = await Promise.all(ids.map((id) => asProgram(folder, 'create', id, '--quiet')));
    const ring = await ringOf(folder.file('keys.json'));
    const owners = secrets.map(({ stdout }) => ring.authenticate(stdout, Date.now()));
    expect(owners).toEqual(
      ids.map((id) => expect.objectContaining({ key: expect.objectContaining({ id }) })),
    );
  });

  it('exits with 2 for a usage error', async () => {
    await using folder = await temporaryFolder();
    expect(await asProgram(folder, 'create')).toMatchObject({ status: 2, stdout: '' });
  });

  it.each([
    [['create'], /missing required argument 'id'/],
    [['create', 'a b'], /1 to 64 letters/],
    [['create', 'app', '--scopes', 'root'], /inference, batch, native, metrics, admin/],
    [['create', 'app', '--rpm', 'many'], /integer/],
    [['create', 'app', '--expires', '30'], /30d or 12h/],
    [['create', 'app', '--expires', '2020-01-01'], /in the past/],
    [['create', 'app', '--priority', 'top'], /high, normal, low/],
    [['create', 'app', '--colour', 'red'], /unknown option/],
    [['crate', 'app'], /unknown command.*\n?.*create/],
  ])('rejects %j as a usage error and shows what is valid', async (args, message) => {
    await using folder = await temporaryFolder();
    expect(await corralKeysIn(folder)(...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });
});

describe('corral keys list and show', () => {
  it('show the status of every key, without colours in a pipe', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    await keys('create', 'app', '--expires', '5d', '--rpm', '20');
    await keys('create', 'old', '--note', 'of last year');
    await keys('disable', 'old');
    const { stdout, stderr } = await asProgram(folder, 'list');
    const [heading, app, old] = stdout.split('\n');
    expect(heading).toMatch(/^ID +HINT +STATUS +SCOPES +LIMITS +CREATED +EXPIRES +LAST USED$/);
    expect(app).toMatch(/^app +sk-….{4} +active, expires in 5d +inference,batch +20 requests\/min +\d{4}-/);
    expect(old).toMatch(/^old +sk-….{4} +disabled +inference,batch +- +\d{4}-.* +never +-$/);
    expect(stderr).toContain('2 keys in');
    expect(stderr).toContain('1 expiring within 14 days');
    expect(stderr).toContain('- in LIMITS: the default limit, 100 requests/min here');
    expect((await keys('show', 'old')).stdout).toMatch(/^status +disabled\n(.*\n)*note +of last year$/m);
    expect(JSON.parse((await keys('list', '--json')).stdout)).toMatchObject([
      { id: 'app', state: 'active', expiresSoon: true, rotating: false },
      { id: 'old', state: 'disabled' },
    ]);
  });

  it('report a secret that is too old', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const keys = corralKeysIn(folder, { KEY_MAX_AGE_DAYS: '90' });
    await keys('create', 'app');
    expect((await keys('list')).stdout).not.toContain('old');
    const created = new Date(Date.now() - 120 * DAY).toISOString();
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/"created": "[^"]*"/, `"created": "${created}"`),
    );
    expect((await keys('list')).stdout).toContain('active, secret is 120d old');
    expect((await keys('show', 'app')).stdout).toContain('active, secret is 120d old');
    expect(JSON.parse((await keys('list', '--json')).stdout)).toMatchObject([{ secretIsOld: true }]);
    expect((await corralKeysIn(folder)('list')).stdout).not.toContain('old');
  });

  it('reject a named file that does not exist', async () => {
    await using folder = await temporaryFolder();
    const { status, stderr } = await corralKeysIn(folder)('list', '--file', folder.file('other.json'));
    expect([status, stderr]).toEqual([2, `error: --file ${folder.file('other.json')} does not exist`]);
  });

  it('suggest the most similar key for an unknown one', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    await keys('create', 'production');
    expect(await keys('show', 'prodution')).toMatchObject({
      status: 1,
      stderr: 'error: no key "prodution": did you mean "production"?',
    });
  });

  it('report the error in an invalid file', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('keys.json'), '{"version":1,"keys":[{"id":"app"}]}');
    expect(await corralKeysIn(folder)('list')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('keys[0].fingerprint (key "app")'),
    });
  });
});

describe('corral keys rotate, disable, enable and remove', () => {
  it('keep the old secret valid for the overlap, and stop it without one', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    const first = (await keys('create', 'app', '--quiet')).stdout;
    const second = await keys('rotate', 'app', '--overlap', '24h');
    expect(second.stderr).toMatch(/its old secret works until \d{4}-\d\d-\d\d \d\d:\d\dZ/);
    expect((await keys('list')).stdout).toMatch(/active, rotating until \d{4}-/);
    const during = await ringOf(folder.file('keys.json'));
    expect(during.authenticate(first, Date.now())).toMatchObject({ outcome: 'accepted', previous: true });
    expect(during.authenticate(second.stdout, Date.now())).toMatchObject({
      outcome: 'accepted',
      previous: false,
    });
    await keys('rotate', 'app');
    const after = await ringOf(folder.file('keys.json'));
    for (const secret of [first, second.stdout]) {
      expect(after.authenticate(secret, Date.now()).outcome).toBe('rejected');
    }
  });

  it.each(['24', '0.5', '86400'])(
    'reject an overlap of %s, which has no unit, and change nothing',
    async (overlap) => {
      await using folder = await temporaryFolder();
      const keys = corralKeysIn(folder);
      const { stdout: secret } = await keys('create', 'app', '--quiet');
      expect(await keys('rotate', 'app', '--overlap', overlap)).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining('It must be a duration with a unit, such as 24h, 90m or 7d.'),
      });
      expect((await ringOf(folder.file('keys.json'))).authenticate(secret, Date.now()).outcome).toBe(
        'accepted',
      );
    },
  );

  it('report unknown fields and keep them', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    await keys('create', 'app', '--quiet');
    const written = JSON.parse(await readFile(folder.file('keys.json'), 'utf8'));
    written.keys[0].enabled = false;
    await writeFile(folder.file('keys.json'), JSON.stringify(written));
    const warning = 'key "app" has an unknown field "enabled"; it has no effect, did you mean "disabled"?';
    expect((await keys('list')).stderr).toContain(`${folder.file('keys.json')}: ${warning}`);
    expect((await keys('show', 'app')).stderr).toContain(warning);
    await keys('rotate', 'app');
    expect(JSON.parse(await readFile(folder.file('keys.json'), 'utf8')).keys[0].enabled).toBe(false);
  });

  it('disable and enable a key', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    const { stdout: secret } = await keys('create', 'app', '--quiet');
    const outcome = async () =>
      (await ringOf(folder.file('keys.json'))).authenticate(secret, Date.now()).outcome;
    await keys('disable', 'app');
    expect(await outcome()).toBe('rejected');
    await keys('enable', 'app');
    expect(await outcome()).toBe('accepted');
    expect((await keys('remove', 'app', '--yes')).status).toBe(0);
    expect(await outcome()).toBe('rejected');
    expect((await keys('remove', 'app', '--yes')).status).toBe(1);
  });
});

it('corral keys remove asks for --yes in a pipe, and removes nothing without it', async () => {
  await using folder = await temporaryFolder();
  await corralKeysIn(folder)('create', 'app');
  expect(await asProgram(folder, 'remove', 'app')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'error: without a terminal, this needs --yes: nothing was removed',
  });
  expect((await corralKeysIn(folder)('list')).stdout).toContain('app');
});

describe('corral keys disable and remove --now', () => {
  it('mark the record for the gateway until the key is enabled, or disabled without --now', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    const app = async () => (await readKeyFile(folder.file('keys.json'))).keys.find(({ id }) => id === 'app');
    await keys('create', 'app');
    expect((await keys('disable', 'app', '--now')).stderr).toBe(
      'Key "app" disabled; its running requests end.',
    );
    expect(await app()).toMatchObject({ disabled: true, cutOff: true });
    await keys('enable', 'app');
    expect(await app()).toMatchObject({ disabled: false, cutOff: false });
    const removing = keys('remove', 'app', '--now', '--yes');
    const marked = await waitFor('the mark', async () => {
      const key = await app();
      return key?.cutOff && key;
    });
    expect(marked.disabled).toBe(true);
    expect((await removing).status).toBe(0);
    expect(await app()).toBeUndefined();
  });
});

describe('corral keys import', () => {
  const lines = `# keys of llama-gguf-inference
app:sk-0123456789abcdef:60:2099-01-31T12:00:00+01:00
broken
copy:sk-0123456789abcdef
`;

  it('reports the result of every line, and the secrets keep working', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), lines);
    const { status, stdout, stderr } = await corralKeysIn(folder)('import', folder.file('api_keys.txt'));
    expect(stdout.split('\n')).toEqual([
      'line 2: "app" imported',
      expect.stringMatching(/^line 3: skipped: the secret must be/),
      'line 4: "copy" skipped: "app" has the same secret',
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('1 imported')]);
    const ring = await ringOf(folder.file('keys.json'));
    expect(ring.authenticate('sk-0123456789abcdef', Date.now())).toMatchObject({
      key: { id: 'app', limits: { requestsPerMinute: 60 }, expires: Date.UTC(2099, 0, 31, 11) },
    });
    expect(await readFile(folder.file('keys.json'), 'utf8')).not.toContain('0123456789abcdef');
  });

  it('can be repeated', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), 'app:sk-0123456789abcdef\n');
    const keys = corralKeysIn(folder);
    await keys('import', folder.file('api_keys.txt'));
    const before = await readFile(folder.file('keys.json'), 'utf8');
    expect(await keys('import', folder.file('api_keys.txt'))).toMatchObject({
      status: 0,
      stdout: 'line 1: "app" unchanged: already imported',
    });
    expect(await readFile(folder.file('keys.json'), 'utf8')).toBe(before);
  });

  it('is suggested by other commands if only api_keys.txt exists', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), 'app:sk-0123456789abcdef\n');
    const keys = corralKeysIn(folder);
    expect((await keys('list')).stdout).toContain('app');
    expect(await keys('create', 'new')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('corral keys import'),
    });
  });
});

describe('corral keys', () => {
  it('uses --file, else the file that the gateway reads', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder, { AUTH_KEYS_FILE: folder.file('env.json') });
    await keys('create', 'a');
    await keys('create', 'b', '--file', folder.file('named.json'));
    expect((await ringOf(folder.file('env.json'))).keys.map(({ id }) => id)).toEqual(['a']);
    expect((await ringOf(folder.file('named.json'))).keys.map(({ id }) => id)).toEqual(['b']);
  });

  it('has help, with examples for every command', async () => {
    await using folder = await temporaryFolder();
    const keys = corralKeysIn(folder);
    const verbs = ['create', 'list', 'show', 'rotate', 'disable', 'enable', 'remove', 'import'];
    const help = await keys('--help');
    expect([help.status, help.stderr]).toEqual([0, '']);
    const texts = await Promise.all(verbs.map(async (verb) => (await keys(verb, '--help')).stdout));
    for (const [n, verb] of verbs.entries()) {
      expect(help.stdout).toMatch(new RegExp(`^  ${verb}(?:\\|\\w+)? `, 'm'));
      expect(texts[n]).toMatch(new RegExp(`Examples?:\n(.*\n)*  corral keys ${verb}`));
    }
  });
});
