import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { delta, startStream } from '../../test/fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../test/fakes/start-fake-backend.ts';
import { afterFirstQuestions, benchReport, startBench } from '../../test/harness/start-bench.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { parseReport, type Report } from './report.ts';

const oneWord: BackendScenario = (_, response) =>
  void startStream(response).end(`${delta('one')}data: [DONE]\n\n`);
const few = ['--model', 'm', '--warmup', '0', '--requests', '2', '--concurrency', '1,2'];
const scaled = (report: Report, times: number, rates: number): Report => ({
  ...report,
  steps: report.steps.map((step) => ({
    ...step,
    requestsPerSecond: step.requestsPerSecond * rates,
    tokensPerSecond: step.tokensPerSecond * rates,
    latencyMs: step.latencyMs && { ...step.latencyMs, p50: times, p95: times, p99: times },
    ttftMs: step.ttftMs && { ...step.ttftMs, p50: times, p95: times, p99: times },
  })),
});

describe('corral bench', () => {
  it('fails, and says why, when the limits of the key rejected many requests', async () => {
    let served = 0;
    await using endpoint = await startFakeBackend((request, response) => {
      if (served++ < 2) return oneWord(request, response);
      response.writeHead(429).end('{"error":{"code":"rate_limit_exceeded"}}');
    });
    const args = ['--model', 'm', '--concurrency', '1', '--requests', '4', '--warmup', '0'];
    const { status, stderr } = await startBench([endpoint.backend.address.origin, ...args]).outcome;
    expect(status).toBe(1);
    expect(stderr).toContain('corral keys update ID --rpm 0');
  });

  it('writes a table, a self-contained page and a report, and sends the key only to the endpoint', async () => {
    await using endpoint = await startFakeBackend(oneWord);
    await using folder = await temporaryFolder();
    const files = ['--html', folder.file('page.html'), '--save', folder.file('report.json')];
    const env = { CORRAL_API_KEY: 'sk-very-secret' };
    const { status, stdout, stderr } = await startBench(
      [endpoint.backend.address.origin, ...few, ...files, '--body', '{"temperature":0}'],
      env,
    ).outcome;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^concurrency 1, prompt 128 +2 +0 /m);
    expect(stdout).toMatch(/^concurrency 2, prompt 128 +2 +0 /m);
    expect(stderr).toContain('reports no usage');
    const page = await readFile(folder.file('page.html'), 'utf8');
    expect(page).toContain('Time to first token');
    expect(page).not.toMatch(/<script|<link|<img|url\(|@import|(?:src|href)=/);
    const saved = await readFile(folder.file('report.json'), 'utf8');
    expect(parseReport(saved).steps).toHaveLength(2);
    expect([stdout, stderr, page, saved].join()).not.toContain('very-secret');
    const { headers, body } = endpoint.received.at(-1) ?? { headers: {}, body: '{}' };
    expect(headers.authorization).toBe('Bearer sk-very-secret');
    expect(JSON.parse(body)).toMatchObject({ temperature: 0, stream: true, model: 'm' });
  });

  it('exits with 1 on a regression and with 0 without one', async () => {
    await using endpoint = await startFakeBackend(oneWord);
    await using folder = await temporaryFolder();
    const url = endpoint.backend.address.origin;
    const report = await benchReport([url, ...few]);
    await writeFile(folder.file('slow.json'), JSON.stringify(scaled(report, 1e6, 1e-6)));
    await writeFile(folder.file('fast.json'), JSON.stringify(scaled(report, 1e-6, 1e6)));
    const better = await startBench([url, ...few, '--compare', folder.file('slow.json')]).outcome;
    expect(better).toMatchObject({ status: 0, stdout: expect.stringContaining('No regression in') });
    const worse = await startBench([url, ...few, '--compare', folder.file('fast.json')]).outcome;
    expect(worse.status).toBe(1);
    expect(worse.stdout).toMatch(/^concurrency 1, prompt 128 +ttft\.p50 /m);
    expect(worse.stdout).toMatch(/^concurrency 2, prompt 128 +tokens /m);
  });

  it('prints partial results on Ctrl-C and resumes from there', async () => {
    let isSilent = true;
    await using endpoint = await startFakeBackend(
      afterFirstQuestions((request, response) => {
        const isOfSecondStep = endpoint.received.length > 2 + 2 + 1;
        if (!(isSilent && isOfSecondStep)) oneWord(request, response);
      }),
    );
    await using folder = await temporaryFolder();
    const args = [endpoint.backend.address.origin, ...few, '--resume', folder.file('run.json'), '--json'];
    const first = startBench(args);
    await waitFor(
      'a request of the second step that hangs',
      () => endpoint.received.length === 6 && endpoint.open === 1,
    );
    first.interrupt();
    const { status, stdout } = await first.outcome;
    expect(status).toBe(130);
    const broken = parseReport(stdout);
    expect(broken.isInterrupted).toBe(true);
    expect(broken.steps.map(({ isPartial }) => isPartial)).toEqual([false, true]);
    const { done = 0, abandoned = 0, failed } = broken.steps[1]?.requests ?? {};
    expect([done + abandoned, failed]).toEqual([2, 0]);
    expect(abandoned).toBeGreaterThan(0);
    await waitFor('the request to be given up', () => endpoint.open === 0);

    isSilent = false;
    const second = await startBench(args).outcome;
    expect(second).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('1 of 2 steps are already measured'),
    });
    const complete = parseReport(second.stdout);
    expect(complete.steps[0]).toEqual(broken.steps[0]);
    expect(complete.steps[1]).toMatchObject({ isPartial: false, requests: { done: 2 } });
    // The two first requests and the second step, not the first step again.
    expect(endpoint.received).toHaveLength(6 + 4);

    const other = await startBench([...args, '--max-tokens', '5']).outcome;
    expect(other).toMatchObject({ status: 2, stderr: expect.stringContaining('differs in maxTokens') });
  });

  it('reports how to fix a rejected key and an endpoint that does not respond', async () => {
    await using endpoint = await startFakeBackend((_, response) => void response.writeHead(401).end());
    const url = endpoint.backend.address.origin;
    const rejected = await startBench([url, ...few]).outcome;
    expect(rejected).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/\(401\); pass an API key with --key-file/),
    });
    await endpoint.stop();
    const unreachable = await startBench([url]).outcome;
    expect(unreachable).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/does not respond \(ECONNREFUSED\)/),
    });
  });

  it('exits with 1 if only the first request was completed', async () => {
    await using endpoint = await startFakeBackend(
      afterFirstQuestions((_, response) => void response.writeHead(500).end()),
    );
    const { status, stderr } = await startBench([endpoint.backend.address.origin, ...few]).outcome;
    expect(status).toBe(1);
    expect(stderr).toContain('no request completed');
  });

  it.each([
    [['nonsense'], /must start with http/],
    [['http://127.0.0.1:9', '--concurrency', '0'], /integer ≥ 1/],
    [['http://127.0.0.1:9', '--compare', '/nowhere/x.json'], /no such file/],
    [['http://127.0.0.1:9', '--prompts', '/nowhere/x.txt'], /cannot be read \(ENOENT\)/],
    [['http://127.0.0.1:9', '--key-file', '/nowhere/key'], /cannot be read \(ENOENT\)/],
    [[], /missing required argument 'url'/],
  ])('exits with 2 for %j', async (args, message) => {
    expect(await startBench(args).outcome).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(message),
    });
  });
});
