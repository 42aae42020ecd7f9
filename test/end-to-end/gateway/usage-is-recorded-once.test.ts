import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sumNames } from '../../../gateway/api/usage.ts';
import type { KeySeen, UsageRow } from '../../../gateway/usage/usage-batch.ts';
import { formatKeysJson } from '../../../keys/keys-json.ts';
import { parseKeys } from '../../../keys/parse-keys.ts';
import { fingerprint } from '../../../keys/secret.ts';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, startStream } from '../../fakes/scenarios.ts';
import {
  type BackendScenario,
  type FakeBackend,
  inputTokens,
  startFakeBackend,
} from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const role = formatEvent({ choices: [{ delta: { role: 'assistant', content: null } }] });
const finish = formatEvent({
  choices: [{ finish_reason: 'stop', delta: {} }],
  timings: { cache_n: 2, prompt_n: 9, predicted_n: 3 },
});
const usage = { prompt_tokens: 11, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } };

/** Behaves as the text of the request says. */
const scripted: BackendScenario = ({ body }, response) => {
  if (body.includes('fail')) return void response.writeHead(500).end('{"error":{"code":500,"message":"no"}}');
  if (body.includes('stall')) return;
  if (body.includes('piece')) {
    return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ usage }));
  }
  startStream(response).write(role + delta('one') + delta('two'));
  response.write(delta('three'), () => body.includes('cut') && response.destroy());
  if (body.includes('cut')) return;
  if (body.includes('short')) response.end();
  else if (!body.includes('hang')) response.end(`${finish}data: [DONE]\n\n`);
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(scripted, { slots: 4 });
  corral = await startTestGateway({ backend: fakeBackend.backend, env: { CONTINUE_STREAMS: 'false' } });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

/** The usage that one request added to the ledger. */
async function recordedBy(work: () => Promise<unknown>): Promise<Partial<UsageRow>> {
  const { ledger } = corral.gateway;
  const before = { ...ledger.today('tester', Date.now()) };
  await work();
  const after = await waitFor('the usage', () => {
    const now = ledger.today('tester', Date.now());
    return now.requests > before.requests && { ...now };
  });
  return Object.fromEntries(sumNames.map((name) => [name, after[name] - before[name]]));
}

const send = async (word: string, fields: object = {}) => {
  await using client = await RawClient.connect(corral.port);
  return await client.send(postOf(chatOf(word, fields))).response();
};

/** Disconnects after the third word. */
const disconnect = async (word: string) => {
  await using client = await RawClient.connect(corral.port);
  await client.send(postOf(chatOf(word, { stream: true }))).receives('three');
  client.reset();
};

describe('usage is recorded once for a request', () => {
  it('that is not streamed', async () => {
    const recorded = await recordedBy(() => send('piece'));
    expect(recorded).toMatchObject({ requests: 1, errors: 0, input: 11, cached: 2, output: 3 });
    expect(recorded.computeMs).toBeGreaterThan(0);
    // It used one of four slots.
    expect(recorded.machineMs).toBeCloseTo((recorded.computeMs ?? 0) / 4, 6);
  });

  it('that is streamed without include_usage', async () => {
    const recorded = await recordedBy(() => send('good', { stream: true }));
    expect(recorded).toMatchObject({ requests: 1, errors: 0, input: 11, cached: 2, output: 3 });
  });

  it('with two choices, of which the backend counts only one', async () => {
    expect(await recordedBy(() => send('piece', { n: 2 }))).toMatchObject({
      requests: 1,
      input: 11,
      output: 6,
    });
  });

  it('whose client disconnects mid-stream: no error, the tokens sent, and the input counted by the backend', async () => {
    const recorded = await recordedBy(() => disconnect('hang'));
    expect(recorded).toMatchObject({ requests: 1, errors: 0, input: inputTokens, output: 3 });
  });

  it('whose client disconnects before the first token', async () => {
    const recorded = await recordedBy(async () => {
      await using client = await RawClient.connect(corral.port);
      client.send(postOf(chatOf('stall')));
      await waitFor('the request to arrive', () => fakeBackend.open === 1);
      client.reset();
    });
    expect(recorded).toMatchObject({ requests: 1, errors: 0, input: inputTokens, output: 0 });
  });

  it.each(['cut', 'short'])(
    'whose stream the backend did not complete (%s): an error, and the tokens sent',
    async (how) => {
      const recorded = await recordedBy(() => send(how, { stream: true }));
      expect(recorded).toMatchObject({ requests: 1, errors: 1, input: inputTokens, output: 3 });
    },
  );

  it('that is rejected: an error without tokens', async () => {
    expect(await recordedBy(() => send('fail'))).toMatchObject({
      requests: 1,
      errors: 1,
      input: 0,
      output: 0,
    });
  });

  it('and the log line has the same numbers', async () => {
    await recordedBy(() => disconnect('hang'));
    const lines = corral.logged.filter(({ status }) => status === 499);
    expect(lines.at(-1)).toMatchObject({ key: 'tester', tokensIn: inputTokens, tokensOut: 3 });
  });
});

describe('a client', () => {
  it('that uses the secret from before a rotation is reported', async () => {
    const previous = { fingerprint: fingerprint('sk-old'), validUntil: Date.now() + 60_000 };
    const { keys } = await parseKeys(keyFileText({ app: { secret: 'sk-new' } }));
    const [key] = keys;
    await using rotated = await startTestGateway({
      backend: fakeBackend.backend,
      keys: formatKeysJson({ keys: key ? [{ ...key, previous }] : [], extraFields: {} }),
    });
    const { ledger } = rotated.gateway;
    await requestGateway(rotated.origin, 'GET /v1/models', 'sk-new');
    expect(await waitFor('the usage', () => ledger.seen('app'))).toMatchObject({ previousLastUsed: null });
    await requestGateway(rotated.origin, 'GET /v1/models', 'sk-old');
    const { previousLastUsed } = await waitFor(
      'the usage',
      () => ledger.seen('app')?.previousLastUsed && (ledger.seen('app') as KeySeen),
    );
    expect(previousLastUsed).toBeGreaterThan(Date.now() - 60_000);
  });

  it('without a key has no ledger entry', async () => {
    await requestGateway(corral.origin, 'GET /v1/models', 'sk-unknown');
    expect(
      await corral.gateway.ledger.query({ since: '2000-01-01', keyId: undefined, by: ['key'] }),
    ).toMatchObject([{ keyId: 'tester' }]);
  });
});
