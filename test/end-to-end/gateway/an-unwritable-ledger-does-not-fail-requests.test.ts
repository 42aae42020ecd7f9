import { mkdirSync, rmdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LedgerFile, ledgerFileName } from '../../../gateway/usage/ledger-file.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const ledgerLines = ({ logged }: TestGateway) =>
  logged.filter(({ msg }) => String(msg).includes('ledger')).map(({ level, msg }) => [level, msg]);

it('the gateway logs once when the ledger fails and once when it recovers, and loses no usage', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using folder = await temporaryFolder();
  // Even root cannot write to a folder as if it were a file.
  mkdirSync(folder.file(ledgerFileName));
  const corral = await startTestGateway({ backend: fakeBackend.backend, folder: folder.path });
  const send = async () => {
    await using client = await RawClient.connect(corral.port);
    return (await client.send(postOf(chatOf('good'))).response())?.status;
  };
  const { ledger } = corral.gateway;
  await waitFor('the problem', () => ledger.problem);
  for (let n = 0; n < 20; n++) expect(await send()).toBe(200);
  await waitFor('the usage to be recorded', () => ledger.today('tester', Date.now()).requests === 20);
  expect(ledgerLines(corral)).toEqual([
    [40, expect.stringMatching(/^cannot write the usage ledger in .* \(unable to open database file\)/)],
  ]);
  rmdirSync(folder.file(ledgerFileName));
  await waitFor('the problem to end', () => ledger.problem === undefined);
  expect(await send()).toBe(200);
  await corral.stop();
  expect(ledgerLines(corral).slice(1)).toEqual([[30, expect.stringContaining('is writable again')]]);
  const file = new LedgerFile(folder.file(ledgerFileName), { readOnly: true });
  expect(file.usageSince('2000-01-01')).toMatchObject([{ keyId: 'tester', requests: 21 }]);
  file.close();
});
