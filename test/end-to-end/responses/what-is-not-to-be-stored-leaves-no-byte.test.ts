import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { responsesClient } from '../../harness/responses-client.ts';
import { startDemo } from '../../harness/start-demo.ts';

const MARK = 'MARK-of-the-input';
/** Words of the answer and of the thoughts before it. */
const answered = ['I have pondered', 'Someone would like'];

/** The files in the folder that contain a text. */
const filesWith = (folder: string, text: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(text));

it.each([
  ['one with store=false', { STORE: 'on' }, { store: false }, false],
  ['any without STORE', {}, {}, false],
  ['any with STORE_KEY', { STORE: 'on', STORE_KEY: 'ab'.repeat(32) }, {}, false],
  ['but one that is stored', { STORE: 'on' }, {}, true],
])('%s', async (_, env, fields, isFound) => {
  await using demo = await startDemo({ env });
  const client = responsesClient(demo.corral.origin, demo.apiKey);
  const request = { input: `${MARK}: think`, instructions: MARK, metadata: { mark: MARK }, ...fields };
  await client.create(request);
  await using stream = await client.stream(request);
  const events = await stream.ended;
  expect(events.at(-1)).toMatchObject({ type: 'response.completed' });
  for (const text of [MARK, ...answered])
    expect(filesWith(demo.corral.folder, text).length > 0).toBe(isFound);
});
