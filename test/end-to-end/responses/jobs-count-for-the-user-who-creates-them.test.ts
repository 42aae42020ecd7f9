import { writeFileSync } from 'node:fs';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { userId } from '../../../keys/users.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type BackgroundGateway, startBackground } from '../../harness/start-background.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let background: BackgroundGateway;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 2, context: 16_384 });
  background = await startBackground(llama.backend);
  await setKey({ usersFrom: 'X-User' });
});
afterAll(async () => {
  await background[Symbol.asyncDispose]();
  await llama.stop();
});

async function setKey(options: object) {
  const tester = { secret: testerSecret, scopes: ['inference', 'batch'] as const, ...options };
  writeFileSync(background.corral.keyFile, keyFileText({ tester }));
  await background.corral.gateway.reloadKeys();
}

const idOf = (user: string) => userId('tester', Buffer.from(user)) ?? '';

async function tokensOf(user: string): Promise<number> {
  const query = { since: '2000-01-01', until: undefined, keyId: 'tester', by: ['user'] as const };
  const rows = await background.corral.gateway.ledger.query(query);
  return rows.filter((row) => row.user === user).reduce((sum, { output }) => sum + output, 0);
}

const respond = async (user: string) => {
  const request = { model: 'demo', temperature: 0, input: 'limits', background: true };
  return (await background.send('POST /v1/responses', request, { 'x-user': user })).body.id;
};

it('background responses and lines of batches', async () => {
  await using _ = background.startRunner();
  await background.ended(await respond('ann'));
  await waitFor('her tokens', async () => (await tokensOf(idOf('ann'))) > 10);

  const defaultHeaders = { 'x-user': 'bob' };
  const client = new OpenAI({
    baseURL: `${background.corral.origin}/v1`,
    apiKey: testerSecret,
    defaultHeaders,
  });
  const body = { model: 'demo', temperature: 0, messages: [{ role: 'user', content: 'limits' }] };
  const lines = [1, 2].map((n) =>
    JSON.stringify({ custom_id: `line-${n}`, method: 'POST', url: '/v1/chat/completions', body }),
  );
  const file = await toFile(Buffer.from(lines.join('\n')), 'in.jsonl');
  const { id: input_file_id } = await client.files.create({ file, purpose: 'batch' });
  const options = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
  const { id } = await client.batches.create({ ...options, input_file_id });
  await waitFor('its end', async () => (await client.batches.retrieve(id)).status === 'completed');
  await waitFor('his tokens', async () => (await tokensOf(idOf('bob'))) > 20);
  expect(await tokensOf('none')).toBe(0);
});

it('and for the key alone once it tells no users apart', async () => {
  const id = await respond('eve');
  await setKey({});
  await using _ = background.startRunner();
  await background.ended(id);
  await waitFor('the tokens of the key', async () => (await tokensOf('none')) > 10);
  expect(await tokensOf(idOf('eve'))).toBe(0);
});
