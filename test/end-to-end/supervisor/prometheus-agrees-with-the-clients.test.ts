import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  generation,
  gpu,
  models,
  requests,
  responseCache,
  system as systemMetrics,
} from '../../../gateway/metrics/catalogue.ts';
import { metricNames } from '../../../scripts/grafana/metric-names.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type MeasuredStream, measureStream } from '../../harness/measured-stream.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { prometheus as prometheusPeer } from '../../services/service-catalogue.ts';
import { type RunningPrometheus, startPrometheus } from '../../services/start-prometheus.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(prometheusPeer);
const docker = join(import.meta.dirname, '../../../docker');
const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnop`;

/** For two slots: requests then spend most of the time to the first token in the queue. */
const CLIENTS = 8;
/** Per stream: some tenths of a second, so that the difference between the clocks of gateway and client is small. */
const TOKENS = 250;
/** Scrapes under load, one per second. */
const SCRAPES = 8;

let deployment: RunningDeployment;
let prometheus: RunningPrometheus;
const seen: MeasuredStream[] = [];
const outputTokens = generation.output.name;

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]) => sumOf(values) / values.length;

/**
 * The gateway and the clients measure in two processes of one machine: they differ by 2 % on a quiet machine, and by more
 * on a busy one. Errors differ by more: a missing wait, a wrong unit, chunks counted as tokens.
 */
function expectClose(reported: number | undefined, measured: number): void {
  expect((reported ?? 0) / measured).toBeGreaterThan(0.5);
  expect((reported ?? 0) / measured).toBeLessThan(2);
}

async function listen(id = 'tester'): Promise<void> {
  const body = { messages: [{ role: 'user', content: 'long story' }], max_tokens: TOKENS };
  seen.push(await measureStream(deployment.gatewayPort, secretOf(id), body));
}

/** Keeps the gateway busy until Prometheus has scraped it often enough. */
async function load(): Promise<void> {
  let isRunning = true;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (isRunning) await listen();
  });
  const count = `count_over_time(${outputTokens}[5m])`;
  const before = (await prometheus.value(count)) ?? 0;
  const isEnough = async () =>
    seen.length > 3 * CLIENTS && ((await prometheus.value(count)) ?? 0) >= before + SCRAPES;
  await waitFor('scrapes under load', isEnough, { every: 200 });
  isRunning = false;
  await Promise.all(clients);
}

describe.skipIf(!program)('a real Prometheus', () => {
  beforeAll(async () => {
    const folder = newFolder();
    const keyFile = join(folder, 'keys.json');
    const nvidiaSmi = join(folder, 'nvidia-smi-steady');
    const keys = {
      tester: { secret: secretOf('tester') },
      thrifty: { secret: secretOf('thrifty'), limits: { tokensPerDay: 20 } },
      scraper: { secret: secretOf('scraper'), scopes: ['metrics' as const] },
    };
    writeFileSync(keyFile, keyFileText(keys), { mode: 0o600 });
    symlinkSync(join(import.meta.dirname, '../../fakes/fake-nvidia-smi.ts'), nvidiaSmi);
    deployment = await startDeployment({
      folder,
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: {
        ...{
          API_KEYS: '',
          AUTH_KEYS_FILE: keyFile,
          STORE: 'on',
          COST_PER_HOUR: '2.5',
          PARALLEL: '2',
          CTX: '4096',
        },
        ...{ NVIDIA_SMI: nvidiaSmi, GPU_INTERVAL: '200ms', LOG_LEVEL: 'info', MAX_REQUESTS_PER_MINUTE: '0' },
      },
    });
    await deployment.reachesStatus('ready');
    const [engine = 0] = deployment.children();
    killProcess(engine, 'SIGKILL');
    const isBack = async () => {
      const { standing, restarts } = await deployment.status();
      return standing === 'ready' && (restarts as { engine: number }).engine === 1;
    };
    await waitFor('llama-server to be back', isBack);
    if (!program) return;
    prometheus = await startPrometheus(program, {
      target: `127.0.0.1:${deployment.gatewayPort}`,
      secret: secretOf('scraper'),
      scrapeInterval: '1s',
    });
    await listen('thrifty');
    await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/models`, {
      headers: { authorization: 'Bearer sk-of-nobody' },
    });
    await load();
    const firstTokens = `sum(${generation.firstToken.name}_count)`;
    const isCounted = async () => (await prometheus.value(firstTokens)) === seen.length;
    await waitFor('the last stream to be scraped', isCounted);
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await deployment?.[Symbol.asyncDispose]();
  });

  it('counts all streams and tokens that clients received', async () => {
    expect(
      await prometheus.value('sum(corral_requests_total{outcome="ok", route="/v1/chat/completions"})'),
    ).toBe(seen.length);
    expect(await prometheus.value('sum(corral_output_tokens_total)')).toBe(
      sumOf(seen.map(({ outputTokens }) => outputTokens)),
    );
  });

  // Means of the same streams, from sums and counts, so that no bucket rounds them. With four clients per slot the wait in
  // the queue is the greater part, so that the few milliseconds between the two clocks are small.
  it('shows the time to first token that clients measured', async () => {
    const { name } = generation.firstToken;
    const reported = await prometheus.value(`sum(${name}_sum) / sum(${name}_count)`);
    const measured = meanOf(seen.map(({ firstToken }) => firstToken));
    expectClose(reported, measured);
    // It starts after the client has sent the request, and ends before the client has received it.
    expect(reported).toBeLessThan(measured);
  });

  it('shows the tokens per second of a stream that clients measured', async () => {
    const { name } = generation.perToken;
    const reported = await prometheus.value(`sum(${name}_count) / sum(${name}_sum)`);
    const measured = 1 / meanOf(seen.map(({ perToken }) => perToken));
    expectClose(reported, measured);
  });

  // Between the first and the last scrape under load, counted by the streams that ended in between. At each of the two
  // scrapes, one stream per client may belong to either side.
  it('shows the total tokens per second that clients received', async () => {
    const ends = seen.map(({ endedAt }) => endedAt);
    const [series] = await prometheus.query(`${outputTokens}[30m]`);
    const times = (series?.values ?? []).map(([time]) => time);
    const underLoad = times.filter((time) => time > (ends[1] ?? 0) && time < Math.max(...ends));
    expect(underLoad.length).toBeGreaterThan(1);
    const [from = 0, to = 0] = [underLoad[0], underLoad.at(-1)];
    const reported = (await prometheus.value(`${outputTokens} @ ${to} - ${outputTokens} @ ${from}`)) ?? 0;
    const between = seen.filter(({ endedAt }) => endedAt > from && endedAt <= to);
    const had = sumOf(between.map((stream) => stream.outputTokens));
    expect(Math.abs(reported - had)).toBeLessThanOrEqual(2 * CLIENTS * TOKENS);
  });

  it('has data for every dashboard query that applies to this machine', async () => {
    const file = readFileSync(join(docker, 'grafana/llama-corral.json'), 'utf8');
    const { panels } = JSON.parse(file) as { panels: { targets?: { expr: string }[] }[] };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const empty: string[] = [];
    for (const expression of expressions) {
      const filled = expression
        .replaceAll('$__rate_interval', '30s')
        .replaceAll('$__range', '30s')
        .replaceAll('$instance', '.+');
      if ((await prometheus.query(filled)).length === 0) empty.push(...metricNames(filled));
    }
    expect(expressions.length).toBeGreaterThan(70);
    const { status, memory, memoryBudget, leased, waiting, aliasShare, loads, loadTime, crashes } = models;
    const ofSeveral = [status, memory, memoryBudget, leased, waiting, aliasShare, loads, loadTime, crashes];
    const never = [
      responseCache.requests,
      generation.accepted,
      generation.drafted,
      ...ofSeveral,
      gpu.memoryTemperature,
      gpu.fan,
      gpu.eccErrors,
      gpu.trouble,
      gpu.recoveryAction,
    ];
    expect(empty).toEqual(never.map(({ name }) => name));
  });

  it('evaluates every alert and fires exactly the expected ones', async () => {
    interface Rule {
      readonly name: string;
      readonly query: string;
      readonly health: string;
      readonly alerts: {
        state: string;
        labels: Record<string, string>;
        annotations: Record<string, string>;
      }[];
    }
    const rules = await waitFor('the rules to be evaluated', async () => {
      const { groups } = await prometheus.request<{ groups: { rules: Rule[] }[] }>('rules?type=alert');
      const all = groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    const missing = new Set<string>();
    for (const name of rules.flatMap(({ query }) => metricNames(query))) {
      if ((await prometheus.query(`count(${name})`)).length === 0) missing.add(name);
    }
    const ofGpus = [gpu.memoryTemperature, gpu.trouble, gpu.recoveryAction, gpu.eccErrors];
    const never = [...ofGpus, models.status, models.suspended, models.loadTime];
    expect([...missing]).toEqual(never.map(({ name }) => name));
    const firing = rules.flatMap(({ name, alerts }) =>
      alerts.filter(({ state }) => state === 'firing').map((alert) => ({ name, ...alert })),
    );
    expect(firing.map(({ name, labels }) => [name, labels.key])).toEqual([
      ['CorralBudgetNearEnd', 'thrifty'],
    ]);
    expect(firing[0]?.annotations.summary).toMatch(
      /^key thrifty of 127\.0\.0\.1:\d+ has used \d+(\.\d+)?% of/,
    );
    expect(await prometheus.value(`${systemMetrics.restarts.name}{child="engine"}`)).toBe(1);
    expect(await prometheus.value(`sum(${requests.errors.name}{code="invalid_api_key"})`)).toBe(1);
  });
});
