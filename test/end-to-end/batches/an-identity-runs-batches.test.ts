import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { expect, it } from 'vitest';
import { identityId } from '../../../keys/identity.ts';
import { audience, startFakeIssuer } from '../../fakes/start-fake-issuer.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  currentBatch,
  resultsOf,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const count = 150;
const rule = { name: 'jobs', when: { groups: 'jobs' }, scopes: ['inference', 'batch'] };

it('a batch outlives the token and the gateway, and ends with the rule', async () => {
  const folder = newFolder();
  const claimsFile = join(folder, 'claims.json');
  const writeRules = (...rules: readonly object[]) =>
    writeFileSync(claimsFile, JSON.stringify({ version: 1, rules }));
  mkdirSync(folder, { recursive: true });
  writeRules(rule);
  await using issuer = await startFakeIssuer();
  const oidc = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: audience, OIDC_CLAIMS_FILE: claimsFile };
  await using product = await startBatchRunner({ folder, env: oidc });
  const { store, deployment } = product;
  const owner = identityId(issuer.issuer, 'joe');
  const create = async (content: string) => {
    // It expires in a few seconds: the gateway allows for a minute between the clocks.
    const apiKey = await issuer.token({
      ...{ sub: 'joe', groups: ['jobs'] },
      exp: Math.floor(Date.now() / 1000) - 50,
    });
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${deployment.gatewayPort}/v1`, apiKey });
    const { id: input_file_id } = await client.files.create({
      ...{ file: await toFile(Buffer.from(content), 'in.jsonl'), purpose: 'batch' },
    });
    const options = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const { id } = await client.batches.create({ ...options, input_file_id });
    return currentBatch(store, { owner, id });
  };
  const lines = chatLines(count);
  const content = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

  const first = await create(content);
  await waitFor('some results', () => currentBatch(store, first).counts.completed >= 20);
  killProcess(product.pidOf('gateway'), 'SIGKILL');
  const ended = await untilEnded(store, first);
  expect(ended).toMatchObject({ owner, status: 'completed', counts: { completed: count, failed: 0 } });
  expect((await allResults(store, ended)).map(chatTextOf)).toEqual(lines.map((_, n) => storyOf(n).text));

  const second = await create(content);
  await waitFor('some results', () => currentBatch(store, second).counts.completed >= 20);
  writeRules({ ...rule, name: 'others', when: { groups: 'others' } });
  const stopped = await untilEnded(store, second);
  expect(stopped).toMatchObject({ status: 'failed', errors: [{ code: 'invalid_api_key' }] });
  const kept = await resultsOf(store, stopped.outputFileId);
  expect(kept.length).toBe(stopped.counts.completed);
  for (const result of kept)
    expect(chatTextOf(result)).toBe(storyOf(Number(result.custom_id.replace('line-', ''))).text);
});
