import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { noUsage, utcDay } from '../../gateway/api/usage.ts';
import { LedgerFile, ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import { formatKeysJson } from '../../keys/keys-json.ts';
import { createKey, fingerprint } from '../../keys/secret.ts';
import { keyFileText } from '../../test/harness/key-file-text.ts';
import { runCorral } from '../../test/harness/run-corral.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let folder: TemporaryFolder;
let gateway: LedgerFile;
beforeEach(async () => {
  folder = await temporaryFolder();
  // Stays open, like in a running gateway.
  gateway = new LedgerFile(folder.file(ledgerFileName));
  onTestFinished(async () => {
    gateway.close();
    await folder[Symbol.asyncDispose]();
  });
});

const corralKeys = (args: string, env: Record<string, string> = {}) =>
  runCorral(['keys', ...args.split(' ')], { DATA_DIR: folder.path, ...env });

const now = Date.now();
const [today, yesterday, longAgo] = [utcDay(now), utcDay(now - DAY), utcDay(now - 100 * DAY)];

function book(): void {
  const usage = { requests: 1500, errors: 3, input: 1_234_567, cached: 1000, output: 89_000 };
  const times = { queueMs: 12_300, computeMs: 4 * HOUR, machineMs: HOUR };
  gateway.write(
    [
      { ...noUsage, keyId: 'app', day: today, model: '', ...usage, ...times },
      { ...noUsage, keyId: 'app', day: yesterday, model: '', requests: 1, output: 7, machineMs: HOUR / 2 },
      { ...noUsage, keyId: 'batch', day: yesterday, model: '', requests: 2, input: 20 },
      { ...noUsage, keyId: 'app', day: longAgo, model: '', requests: 1000 },
    ],
    [{ keyId: 'app', lastUsed: now - 2 * HOUR, previousLastUsed: null }],
  );
}

const lines = (text: string) =>
  text.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));

describe('corral keys usage', () => {
  it('shows one row per key and the total, while a gateway is running', async () => {
    book();
    const { status, stdout } = await corralKeys('usage', { COST_PER_HOUR: '0.8' });
    expect(status).toBe(0);
    const [heading, app, batch, total] = lines(stdout);
    expect(heading).toEqual(
      'KEY,REQUESTS,ERRORS,INPUT,CACHED,OUTPUT,QUEUED,COMPUTE,MACHINE,COST,LAST USED'.split(','),
    );
    expect(app).toEqual('app|1,501|3|1,234,567|1,000|89,007|12.3s|4h 00m|1h 30m|1.20|2h ago'.split('|'));
    expect(batch).toEqual('batch|2|0|20|0|0|0.0s|0.0s|0.0s|0.00|-'.split('|'));
    expect(total?.slice(0, 2)).toEqual(['total', '1,503']);
  });

  it('shows one key by day, from the given day', async () => {
    book();
    const { stdout } = await corralKeys('usage app --since 100d');
    expect(lines(stdout).map(([day, requests]) => [day, requests])).toEqual([
      ['DAY', 'REQUESTS'],
      [longAgo, '1,000'],
      [yesterday, '1'],
      [today, '1,500'],
      ['total', '2,501'],
    ]);
    expect(stdout).not.toContain('COST');
  });

  it('prints JSON or CSV for scripts', async () => {
    book();
    const { stdout: json } = await corralKeys(`usage batch --since ${yesterday} --by key --json`);
    expect(JSON.parse(json)).toMatchObject({
      since: yesterday,
      by: 'key',
      usage: [{ key: 'batch', requests: 2, inputTokens: 20, cost: null }],
      total: { requests: 2 },
    });
    const { stdout: csv } = await corralKeys('usage --by day --csv', { COST_PER_HOUR: '2' });
    const rows = csv.split(/\r?\n/).map((line) => line.split(','));
    expect(rows[0]).toEqual(
      'day,requests,errors,inputTokens,cachedTokens,outputTokens,queueSeconds,computeSeconds,machineSeconds,cost,cacheHits'.split(
        ',',
      ),
    );
    expect(rows.slice(1).map(([day, requests, , , , , , , , cost]) => [day, requests, cost])).toEqual([
      [yesterday, '3', '1'],
      [today, '1500', '2'],
    ]);
  });

  it('shows models, if there are several', async () => {
    book();
    const none = await corralKeys('usage --by model');
    expect([none.status, none.stderr]).toEqual([0, expect.stringContaining('No usage')]);
    gateway.write(
      [
        { ...noUsage, keyId: 'app', day: today, model: 'v1', requests: 900 },
        { ...noUsage, keyId: 'app', day: yesterday, model: 'v1', requests: 1 },
        { ...noUsage, keyId: 'batch', day: today, model: 'v2', requests: 100 },
      ],
      [],
    );
    const { stdout } = await corralKeys('usage --by model');
    expect(lines(stdout).map(([model, requests]) => [model, requests])).toEqual([
      ['MODEL', 'REQUESTS'],
      ['v1', '901'],
      ['v2', '100'],
      ['total', '1,001'],
    ]);
    const { stdout: csv } = await corralKeys('usage app --by model --csv');
    expect(csv.split(/\r?\n/).map((line) => line.split(',').slice(0, 2))).toEqual([
      ['model', 'requests'],
      ['v1', '901'],
    ]);
  });

  describe('across months', () => {
    const rowOf = (keyId: string, day: string, requests: number) => ({
      ...{ ...noUsage, keyId, day, requests },
      model: '',
    });
    beforeEach(() =>
      gateway.write(
        [
          rowOf('app', '2026-08-31', 1),
          rowOf('app', '2026-09-01', 2),
          rowOf('app', '2026-09-30', 4),
          rowOf('-batch', '2026-09-30', 8),
          rowOf('app', '2026-11-30', 16),
          rowOf('app', '2026-12-01', 32),
        ],
        [],
      ),
    );

    it('sums the days from --since to before --until by month and key', async () => {
      const { stdout } = await corralKeys('usage --since 2026-09 --until 2026-12-01 --by month,key');
      expect(lines(stdout).map((cells) => cells.slice(0, 3))).toEqual([
        ['MONTH', 'KEY', 'REQUESTS'],
        ['2026-09', '-batch', '8'],
        ['2026-09', 'app', '6'],
        ['2026-11', 'app', '16'],
        ['total', expect.any(String), expect.any(String)],
      ]);
      expect(stdout).toMatch(/^total +30 /m);
    });

    it('prints CSV that no spreadsheet runs as a formula, and the same groups as JSON', async () => {
      const args = 'usage --since 2026-09-01 --until 2026-10-01 --by month,key';
      const { stdout } = await corralKeys(`${args} --csv`);
      expect(stdout.split('\r\n').map((line) => line.split(',').slice(0, 3))).toEqual([
        ['month', 'key', 'requests'],
        ['2026-09', "'-batch", '8'],
        ['2026-09', 'app', '6\r'.trim()],
      ]);
      expect(JSON.parse((await corralKeys(`${args} --json`)).stdout)).toMatchObject({
        ...{ since: '2026-09-01', until: '2026-10-01', by: 'month,key' },
        usage: [
          { month: '2026-09', key: '-batch', requests: 8 },
          { month: '2026-09', key: 'app', requests: 6 },
        ],
      });
    });

    it('rejects an empty range and unclear groups', async () => {
      const empty = await corralKeys('usage --since 2026-09-02 --until 2026-09-02');
      expect([empty.status, empty.stderr]).toEqual([
        2,
        'error: --until 2026-09-02 must be later than --since 2026-09-02',
      ]);
      const unclear = await corralKeys('usage --by day,month');
      expect([unclear.status, unclear.stderr]).toEqual([2, expect.stringContaining('such as month,key')]);
    });
  });

  it('tells a mistyped key from one without usage', async () => {
    book();
    const text = keyFileText({ idle: { secret: 'sk-idle' } });
    await writeFile(folder.file('keys.json'), text, { mode: 0o600 });
    const env = { API_KEYS: 'inline:sk-0123456789abcdef' };
    const mistyped = await corralKeys('usage ap', env);
    expect([mistyped.status, mistyped.stdout]).toEqual([1, '']);
    expect(mistyped.stderr).toMatch(
      /^error: no key "ap" in .*keys\.json or .*usage\.sqlite: did you mean "app"\?$/,
    );
    for (const id of ['idle', 'inline']) {
      const { status, stderr } = await corralKeys(`usage ${id}`, env);
      expect([status, stderr]).toEqual([0, expect.stringContaining(`No usage of "${id}" since`)]);
    }
    const removed = await corralKeys('usage app --since 2020-01 --until 2020-02', env);
    expect([removed.status, removed.stderr]).toEqual([
      0,
      expect.stringContaining('No usage of "app" from 2020-01-01 to before 2020-02-01'),
    ]);
  });

  it('reports errors', async () => {
    const empty = await corralKeys('usage');
    expect([empty.status, empty.stdout]).toEqual([0, '']);
    expect(empty.stderr).toContain('No usage since');
    const missing = await corralKeys('usage --ledger nowhere.sqlite');
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('no usage ledger yet')]);
    const wrong = await corralKeys('usage --since soon');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('7d or 12h')]);
  });
});

describe('corral keys list and show', () => {
  it('show when a key was last used, and when its old secret was', async () => {
    const keys = ['app', 'idle'].map((id) => ({
      ...createKey(id, {}, now - 3 * HOUR).key,
      previous: { fingerprint: fingerprint(`old ${id}`), validUntil: now + DAY },
    }));
    await writeFile(folder.file('keys.json'), formatKeysJson({ keys, extraFields: {} }), { mode: 0o600 });
    gateway.write(
      [],
      [
        { keyId: 'app', lastUsed: now - HOUR, previousLastUsed: now - 2 * HOUR },
        { keyId: 'idle', lastUsed: now, previousLastUsed: now - 5 * HOUR },
      ],
    );
    const { stdout } = await corralKeys('list');
    const [heading, app, idle] = stdout.split('\n');
    expect(heading).toMatch(/LAST USED$/);
    expect(app).toMatch(/rotating until .*, old secret last used 2h ago .*1h ago$/);
    // It was last used before the rotation, as the current secret.
    expect(idle).not.toContain('old secret');
    // On a busy machine, the command may take its time.
    expect(idle).toMatch(/(?:just now|[1-5]m ago)$/);
    const { stdout: json } = await corralKeys('show app --json');
    expect(JSON.parse(json)).toMatchObject({
      lastUsed: new Date(now - HOUR).toISOString(),
      oldSecretLastUsed: new Date(now - 2 * HOUR).toISOString(),
    });
    expect((await corralKeys('show idle')).stdout).toMatch(/last used +\d{4}-.* \((?:just now|[1-5]m ago)\)/);
  });

  it('work without a valid ledger', async () => {
    const text = keyFileText({ app: { secret: 'sk-new' } });
    await writeFile(folder.file('keys.json'), text, { mode: 0o600 });
    await writeFile(folder.file('other'), 'x'.repeat(5000));
    const { status, stdout, stderr } = await corralKeys(`list --ledger ${folder.file('other')}`);
    expect([status, stderr]).toEqual([0, expect.stringContaining('file is not a database')]);
    expect(stdout).toMatch(/app .* -$/);
  });
});

describe('corral keys list --identities', () => {
  const ids = [1, 2].map((n) => `oidc-${String(n).repeat(32)}`);

  it('lists those in the ledger, apart from the keys', async () => {
    const text = keyFileText({ app: { secret: 'sk-app' }, 'oidc-mine': { secret: 'sk-mine' } });
    await writeFile(folder.file('keys.json'), text, { mode: 0o600 });
    const seen = ['app', 'oidc-mine', ...ids].map((keyId, n) => ({
      ...{ keyId, previousLastUsed: null },
      lastUsed: now - (5 - n) * HOUR,
    }));
    gateway.write([], seen);
    const { stdout, stderr } = await corralKeys('list');
    expect(stdout).not.toContain(ids[0]);
    expect(stderr).toContain('2 more signed in with tokens: corral keys list --identities');
    const { stdout: listed } = await corralKeys('list --identities');
    expect(listed.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ['IDENTITY', 'RULE'],
      [ids[1], '-'],
      [ids[0], '-'],
    ]);
  });

  it('names the rules where a gateway wrote them down', async () => {
    const identities = {
      [ids[0] ?? '']: { rule: 'staff', seen: now },
      [ids[1] ?? '']: { rule: '', seen: now - 1 },
    };
    await writeFile(folder.file('identities.json'), JSON.stringify({ version: 1, identities }));
    const { stdout } = await corralKeys('list --identities --json');
    expect(JSON.parse(stdout)).toEqual([
      { id: ids[0], rule: 'staff', lastSeen: new Date(now).toISOString() },
      { id: ids[1], rule: null, lastSeen: new Date(now - 1).toISOString() },
    ]);
  });
});
