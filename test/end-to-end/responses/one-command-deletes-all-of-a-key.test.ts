import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { responsesCommand } from '../../../cli/responses/responses-command.ts';
import { storeCommand } from '../../../cli/store/store-command.ts';
import { runInProcess } from '../../harness/run-corral.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { otherSecret, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { createInBackground, saveTurn } from '../../harness/stored-responses.ts';

/** Stores something of every kind, with a text that is nowhere else; returns the paths of it. */
async function storeAll(server: StoreGateway, owner: 'tester' | 'other'): Promise<string[]> {
  const text = `private text of ${owner}`;
  const secret = owner === 'tester' ? testerSecret : otherSecret;
  const json = { items: [{ role: 'user', content: text }], metadata: { note: text } };
  const { body } = await server.send('POST /v1/conversations', { json, secret });
  const store = server.openStore();
  const first = saveTurn(store, text, { owner });
  const next = saveTurn(store, text, { owner, previousId: first });
  // Deleted, but still a part of the history of the next one.
  store.responses.delete(owner, first);
  const { id: background } = createInBackground(store, text, { owner });
  store.responses.begin(background);
  store.responses.appendEvents(background, [{ sequence: 0, text: JSON.stringify({ text }) }]);
  const file = await server.upload(text, { secret });
  return [
    ...[`/v1/conversations/${body.id}`, `/v1/responses/${next}`, `/v1/responses/${background}`],
    `/v1/files/${file}`,
  ];
}

const statuses = (server: StoreGateway, paths: readonly string[], secret: string) =>
  Promise.all(paths.map(async (path) => (await server.send(`GET ${path}`, { secret })).status));

/** Everything on disk below a folder, as one text. */
function onDisk(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}

it.each([
  ['corral store purge --owner', [storeCommand(), 'purge', '--owner', 'tester', '--yes'], false],
  ['corral responses purge --key', [responsesCommand(), 'purge', '--key', 'tester', '--yes'], true],
] as const)(
  '%s removes it from a running gateway and from the disk',
  async (_, [command, ...args], keepsFiles) => {
    await using server = await startStoreGateway();
    const [own, others] = [await storeAll(server, 'tester'), await storeAll(server, 'other')];
    expect(await statuses(server, own, testerSecret)).toEqual([200, 200, 200, 200]);
    const { folder } = server.corral;
    expect(onDisk(folder)).toContain('private text of tester');
    const env = { DATA_DIR: folder, STORE_KEY: undefined };
    expect(await runInProcess(command, args, env)).toMatchObject({ status: 0 });
    expect(await statuses(server, own, testerSecret)).toEqual([404, 404, 404, keepsFiles ? 200 : 404]);
    expect(await statuses(server, others, otherSecret)).toEqual([200, 200, 200, 200]);
    // Of the database, the write-ahead log too.
    const database = ['store.sqlite', 'store.sqlite-wal']
      .map((name) => join(folder, name))
      .filter(existsSync);
    for (const file of database) expect(readFileSync(file).includes('private text of tester')).toBe(false);
    expect(onDisk(folder).includes('private text of tester')).toBe(keepsFiles);
    expect(onDisk(folder)).toContain('private text of other');
  },
);
