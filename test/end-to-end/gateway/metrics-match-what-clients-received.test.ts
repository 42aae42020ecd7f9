import { execa } from 'execa';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../../../gateway/metrics/catalogue.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type Scrape, scrape } from '../../harness/read-metrics.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { promtool } from '../../services/service-catalogue.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(promtool);
const scraperSecret = 'sk-prometheus-0123456789abcdefghijklmnopqrstuvw';
const [plain, streams, left] = [7, 5, 1];
const chat = {
  gen_ai_operation_name: 'chat',
  gen_ai_provider_name: 'llama_cpp',
  gen_ai_request_model: 'demo',
};

let engine: LlamaServer;
let gateway: TestGateway;
let page: Scrape;
/** The usage reported to the SDK, of completed requests. */
const reported = { input: 0, output: 0 };

beforeAll(async () => {
  engine = await startLlamaServer();
  gateway = await startTestGateway({
    backend: engine.backend,
    keys: keyFileText({
      tester: { secret: testerSecret },
      prometheus: { secret: scraperSecret, scopes: ['metrics'] },
    }),
    env: { COST_PER_HOUR: '3.6' },
  });
  const client = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: gateway.secret, maxRetries: 0 });
  await Promise.all([
    ...Array.from({ length: plain }, () => send(client)),
    ...Array.from({ length: streams }, () => listen(client)),
  ]);
  await disconnect(client);
  await sendInvalidRequests();
  await waitFor('all slots to be free', () => gateway.gateway.scheduler.counts.leased === 0);
  await waitFor('the last request to be counted', async () => {
    page = await scrape(gateway.origin);
    // A scrape waits for the engine's metrics only briefly.
    return (
      page.value('corral_engine_metrics_up') === 1 &&
      page.sum('corral_requests_total', { route: '/v1/chat/completions' }) === plain + streams + left + 2
    );
  });
});
afterAll(async () => {
  await gateway?.stop();
  await engine?.stop();
});

const chatRequest = (content: string) => ({
  model: 'a-name-that-only-this-client-knows',
  messages: [{ role: 'user' as const, content }],
});

function addUsage(usage: OpenAI.CompletionUsage | null | undefined): void {
  reported.input += usage?.prompt_tokens ?? 0;
  reported.output += usage?.completion_tokens ?? 0;
}

async function send(client: OpenAI): Promise<void> {
  addUsage((await client.chat.completions.create(chatRequest('a prompt of mine'))).usage);
}

async function listen(client: OpenAI): Promise<void> {
  const stream = await client.chat.completions.create({
    ...chatRequest('keys'),
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const { usage } of stream) addUsage(usage);
}

async function disconnect(client: OpenAI): Promise<void> {
  const stream = await client.chat.completions.create({ ...chatRequest('long story'), stream: true });
  for await (const _ of stream) break;
}

async function sendInvalidRequests(): Promise<void> {
  const post = (authorization: string, body: string) =>
    fetch(`${gateway.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body,
    });
  expect((await post('Bearer sk-nobody', '{}')).status).toBe(401);
  expect((await post(`Bearer ${gateway.secret}`, '{')).status).toBe(400);
  expect((await fetch(`${gateway.origin}/no/such/path?of=a-client`)).status).toBe(404);
}

describe('the metrics', () => {
  it('count every request once, by the status that its client received', () => {
    const count = (status: string, outcome: string) =>
      page.value('corral_requests_total', { route: '/v1/chat/completions', status, outcome });
    expect([
      count('200', 'ok'),
      count('499', 'client_left'),
      count('401', 'refused'),
      count('400', 'refused'),
    ]).toEqual([plain + streams, left, 1, 1]);
    expect(page.value('corral_requests_total', { route: 'other', status: '404', outcome: 'refused' })).toBe(
      1,
    );
    expect(page.labelValues('corral_refusals_total', 'code').sort()).toEqual([
      'invalid_api_key',
      'invalid_json',
      'unknown_url',
    ]);
    expect(page.value('corral_failed_logins_total')).toBe(1);
  });

  it('add up to the token usage reported to the clients', () => {
    const usage = (type: string) => page.sum('gen_ai_client_token_usage_sum', { gen_ai_token_type: type });
    const count = page.sum('gen_ai_client_token_usage_count', { gen_ai_token_type: 'output' });
    expect(count).toBe(plain + streams + left);
    expect(page.sum('corral_input_tokens_total')).toBe(usage('input'));
    expect(page.sum('corral_output_tokens_total')).toBe(usage('output'));
    // Includes the tokens of the client that disconnected, which were not reported to it.
    const ofLedger = gateway.gateway.ledger.today('tester', Date.now());
    expect([usage('input'), usage('output')]).toEqual([ofLedger.input, ofLedger.output]);
    expect(usage('output')).toBeGreaterThan(reported.output);
  });

  it('contain the time to first token of each stream, and the duration and queue time of each request', () => {
    expect(page.value('gen_ai_server_time_to_first_token_seconds_count', chat)).toBe(streams + left);
    expect(page.value('gen_ai_server_time_per_output_token_seconds_count', chat)).toBe(streams);
    const duration = (error_type: string) =>
      page.value('gen_ai_server_request_duration_seconds_count', { ...chat, error_type });
    expect([duration(''), duration('client_left')]).toEqual([plain + streams, left]);
    expect(page.value('corral_queue_wait_seconds_count', { priority: 'normal' })).toBe(
      plain + streams + left,
    );
    const granted = { outcome: 'granted', priority: 'normal' };
    expect(page.value('corral_admissions_total', granted)).toBe(plain + streams + left);
  });

  it('show zero requests, queued requests and leased slots when idle', () => {
    expect(page.value('corral_slots')).toBe(2);
    expect(page.value('corral_slots_leased')).toBe(0);
    expect(page.value('vllm:num_requests_running')).toBe(0);
    expect(page.value('vllm:kv_cache_usage_perc')).toBe(0);
    expect(page.value('corral_requests_in_flight')).toBe(0);
    expect(page.value('corral_standing', { standing: 'ready' })).toBe(1);
    expect(page.sum('corral_standing')).toBe(1);
  });

  it('agree with the metrics of llama-server, which are appended', () => {
    expect(page.value('corral_engine_metrics_up')).toBe(1);
    const [generated = 0, read = 0] = [
      page.value('llamacpp:tokens_predicted_total'),
      page.value('llamacpp:prompt_tokens_total'),
    ];
    // llama-server does not count cancelled requests.
    expect(generated).toBeGreaterThanOrEqual(reported.output);
    const cached = page.value('llamacpp:prompt_tokens_cached_total') ?? 0;
    expect(read + cached).toBe(page.sum('corral_input_tokens_total'));
    expect(page.text).not.toContain('llamacpp:predicted_tokens_seconds');
  });

  it('show the same per-key usage as the ledger', async () => {
    const { text, value } = await scrape(gateway.origin, scraperSecret);
    const recorded = gateway.gateway.ledger.today('tester', Date.now());
    const shown = (name: string) => value(`corral_key_${name}`, { key: 'tester' });
    expect([shown('requests_total'), shown('errors_total')]).toEqual([recorded.requests, recorded.errors]);
    expect([shown('input_tokens_total'), shown('output_tokens_total')]).toEqual([
      recorded.input,
      recorded.output,
    ]);
    // At 3.6 per hour, one second costs 0.001.
    expect(shown('cost_total')).toBeCloseTo(recorded.machineMs / 1e6, 9);
    expect(shown('machine_seconds_total')).toBeCloseTo(recorded.machineMs / 1e3, 9);
    expect([page.text.includes('"tester"'), text.includes('"tester"')]).toEqual([false, true]);
  });

  it('contain no prompt, no secret and no model name invented by a client', () => {
    for (const word of [
      testerSecret,
      scraperSecret,
      'a prompt of mine',
      'long story',
      'only-this-client',
      'no/such/path',
    ]) {
      expect(page.text).not.toContain(word);
    }
  });

  it('are exactly the metrics of the catalogue', () => {
    const shown = [...page.text.matchAll(/^# TYPE ((?!llamacpp:)\S+)/gm)].map(([, name]) => name);
    const known = catalogue.filter(
      ({ name }) => !name.startsWith('corral_key_') || name.startsWith('corral_key_file'),
    );
    expect(shown.sort()).toEqual(known.map(({ name }) => name).sort());
  });

  it.skipIf(!program)('pass the checks of promtool, except for names defined by others', async () => {
    const { command = '', args = [] } = program ?? {};
    const check = await execa(command, [...args, 'check', 'metrics'], { input: page.text, reject: false });
    const problems = `${check.stdout}\n${check.stderr}`.split('\n').filter((line) => line.trim() !== '');
    expect(problems.filter((line) => !/^(?:llamacpp|vllm):/.test(line))).toEqual([]);
  });
});
