import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addUsage, noUsage, type UsageSums } from '../../../../gateway/api/usage.ts';
import { ledgerFileName } from '../../../../gateway/usage/ledger-file.ts';
import { startTestGateway, testerSecret } from '../../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../../harness/start-gateway-process.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../../services/start-llama-server.ts';
import { aborted, complete, createClients, readLedger, sendMany } from './reported-usage.ts';

let engine: LlamaServer;
beforeAll(async () => {
  engine = await startLlamaServer({ slots: 4 });
});
afterAll(() => engine.stop());

const expectNoSecrets = (folder: string) => {
  const files = globSync(join(folder, `${ledgerFileName}*`));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const bytes = readFileSync(file);
    for (const secret of [testerSecret, engine.apiKey ?? '']) expect(bytes.includes(secret)).toBe(false);
  }
};

it('the ledger matches the usage reported to clients over all APIs, streamed or not, across a restart', async () => {
  await using folder = await temporaryFolder();
  const reported: UsageSums = { ...noUsage };
  for (let run = 0; run < 2; run++) {
    const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
    addUsage(reported, await sendMany(createClients(corral.origin), 140, complete));
    expectNoSecrets(folder.path);
    await corral.stop();
  }
  const { requests, errors, input, output } = readLedger(folder.path);
  expect({ requests, errors, input, output }).toEqual({
    requests: 280,
    errors: 0,
    input: reported.input,
    output: reported.output,
  });
});

it('the ledger has the exact input of aborted streams, and between the received and the generated output', async () => {
  await using folder = await temporaryFolder();
  const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
  const before = await generatedTokens();
  const reported = await sendMany(createClients(corral.origin), 30, aborted);
  await corral.stop();
  const { requests, errors, input, output } = readLedger(folder.path);
  expect({ requests, errors, input }).toEqual({ requests: 60, errors: 0, input: reported.input });
  expect(output).toBeGreaterThanOrEqual(reported.output);
  const isGenerated = async () => (await generatedTokens()) - before >= output;
  // The engine counts a stream when it releases its slot.
  await waitFor('the engine to count as many', isGenerated);
});

it('a kill -9 loses at most the last second of usage', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: folder.path, API_KEYS: `tester:${testerSecret}` };
  const gateway = await startGatewayProcess(engine.backend, env);
  const reported = await sendMany(createClients(gateway.origin), 35, complete);
  await waitFor('all usage on disk', () => readLedger(folder.path).requests === 35);
  expect(readLedger(folder.path)).toMatchObject({ input: reported.input, output: reported.output });
  await sendMany(createClients(gateway.origin), 14, complete);
  await gateway.kill();
  const remaining = readLedger(folder.path);
  expect(remaining.requests).toBeGreaterThanOrEqual(35);
  expect(remaining.requests).toBeLessThanOrEqual(49);
  expectNoSecrets(folder.path);

  const corral = await startTestGateway({ backend: engine.backend, folder: folder.path });
  await corral.gateway.ledger.ready;
  expect(corral.gateway.ledger.today('tester', Date.now()).requests).toBe(remaining.requests);
  await complete(createClients(corral.origin), 0);
  await corral.stop();
  expect(readLedger(folder.path).requests).toBe(remaining.requests + 1);
});

/** As the engine itself counts them. */
async function generatedTokens(): Promise<number> {
  const { address, apiKey } = engine.backend;
  const client = new Client(address.origin, {
    ...(address.socketPath && { socketPath: address.socketPath }),
  });
  const headers = { authorization: `Bearer ${apiKey}` };
  const { body } = await client.request({ method: 'GET', path: '/metrics', headers });
  const text = await body.text();
  await client.close();
  return Number(/^llamacpp:tokens_predicted_total (\d+)/m.exec(text)?.[1]);
}
