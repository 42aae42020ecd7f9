import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StoreGateway, startStoreGateway } from '../../../harness/start-store-gateway.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../harness/temporary-folder.ts';

const MB = 1024 ** 2;
let server: StoreGateway;
let folder: TemporaryFolder;
beforeAll(async () => {
  server = await startStoreGateway({ MAX_FILE_SIZE: '5MiB' });
  folder = await temporaryFolder();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function curl(path: string, ...args: string[]) {
  const { origin, secret } = server.corral;
  const all = [
    '--silent',
    '--show-error',
    '--write-out',
    '\n%{http_code}',
    '-H',
    `Authorization: Bearer ${secret}`,
  ];
  const { stdout } = await execa('curl', [...all, ...args, origin + path]);
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
}

it('curl uploads a file, creates a batch of it, and downloads it again', async () => {
  const local = folder.file('lines.jsonl');
  writeFileSync(local, `${JSON.stringify({ custom_id: 'ü' })}\n`.repeat(10_000));
  const uploaded = await curl('/v1/files', '-F', 'purpose=batch', '-F', `file=@${local}`);
  const file = JSON.parse(uploaded.text);
  expect([uploaded.status, file.filename, file.bytes]).toEqual([
    200,
    'lines.jsonl',
    (await readFile(local)).length,
  ]);
  const wanted = { input_file_id: file.id, endpoint: '/v1/embeddings', completion_window: '24h' };
  const batch = await curl(
    '/v1/batches',
    '-H',
    'Content-Type: application/json',
    '-d',
    JSON.stringify(wanted),
  );
  expect([batch.status, JSON.parse(batch.text).status]).toEqual([200, 'validating']);
  const copy = folder.file('copy.jsonl');
  expect((await curl(`/v1/files/${file.id}/content`, '-o', copy)).status).toBe(200);
  expect(await readFile(copy)).toEqual(await readFile(local));
  expect((await curl(`/v1/files/${file.id}`, '-X', 'DELETE')).status).toBe(200);
});

it('curl gets the error of a file that is much too large, with and without Expect: 100-continue', async () => {
  const before = server.contents();
  const local = folder.file('large.jsonl');
  writeFileSync(local, Buffer.alloc(300 * MB));
  for (const expectation of ['Expect: 100-continue', 'Expect:']) {
    const form = ['-F', 'purpose=batch', '-F', `file=@${local}`];
    const { status, text } = await curl('/v1/files', '-H', expectation, ...form);
    expect([status, JSON.parse(text).error.code]).toEqual([413, 'file_too_large']);
  }
  const { status } = await curl(
    '/v1/files',
    '-H',
    'Transfer-Encoding: chunked',
    '-F',
    'purpose=batch',
    '-F',
    `file=@${local}`,
  );
  expect(status).toBe(413);
  expect(server.contents()).toEqual(before);
});
