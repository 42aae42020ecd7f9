import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userId } from '../../../keys/users.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secrets = {
  team: 'sk-team-0123456789',
  another: 'sk-another-0123456789',
  single: 'sk-single-0123456789',
};

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend((_, response) => {
    response.setHeader('content-type', 'application/json').end('{}');
  });
  corral = await startTestGateway({
    backend: fake.backend,
    keys: keyFileText({
      team: { secret: secrets.team, usersFrom: 'X-OpenWebUI-User-Id' },
      another: { secret: secrets.another, usersFrom: 'x-user' },
      single: { secret: secrets.single },
    }),
  });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});

let sent = 0;

/** The user in the log line of a request with these headers. */
async function userOf(
  key: keyof typeof secrets,
  headers: readonly string[],
  fields: object = {},
): Promise<unknown> {
  await using client = await RawClient.connect(corral.port);
  const id = `request-${sent++}`;
  const options = { secret: secrets[key], headers: [...headers, `X-Request-Id: ${id}`] };
  const response = await client.send(postOf(chatOf('hello', fields), options)).response();
  expect(response?.status).toBe(200);
  const line = await waitFor('the log line', () => corral.logged.find((one) => one.id === id));
  return line.user;
}

const alice = 'alice@example.com';
const idOf = (key: string, value: string) => userId(key, Buffer.from(value));

describe('the header of a key', () => {
  it('names a user by a hash, in any case of its letters', async () => {
    const id = idOf('team', alice);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(await userOf('team', [`X-OpenWebUI-User-Id: ${alice}`])).toBe(id);
    expect(await userOf('team', [`x-openwebui-user-id:   ${alice}  `])).toBe(id);
    expect(await userOf('team', ['X-OpenWebUI-User-Id: bob@example.com'])).toBe(
      idOf('team', 'bob@example.com'),
    );
  });

  it('is read as the bytes that were sent', async () => {
    const bytes = Buffer.from('jörg').toString('latin1');
    expect(await userOf('team', [`X-OpenWebUI-User-Id: ${bytes}`])).not.toBe(undefined);
  });

  it.each([
    ['no value', []],
    ['an empty value', ['X-OpenWebUI-User-Id:']],
    ['257 bytes', [`X-OpenWebUI-User-Id: ${'x'.repeat(257)}`]],
    ['two values', [`X-OpenWebUI-User-Id: ${alice}`, 'X-OpenWebUI-User-Id: bob@example.com']],
    ['the same value twice', [`X-OpenWebUI-User-Id: ${alice}`, `x-openwebui-user-id: ${alice}`]],
    ['the header of another key', [`X-User: ${alice}`]],
    ['the header of our runner', [`X-Corral-User: ${idOf('team', alice)}`, 'X-Corral-On-Behalf-Of: team']],
  ])('names nobody with %s', async (_, headers) => {
    expect(await userOf('team', headers)).toBe(undefined);
  });

  it('means nothing from a key without users, and nothing of this kind in a body', async () => {
    expect(await userOf('single', [`X-OpenWebUI-User-Id: ${alice}`, `X-User: ${alice}`])).toBe(undefined);
    expect(await userOf('team', [], { user: alice, safety_identifier: alice })).toBe(undefined);
  });

  it('never gives the requests of one key the user of another', async () => {
    const other = await userOf('another', [`X-User: ${alice}`]);
    expect(other).toBe(idOf('another', alice));
    expect(other).not.toBe(idOf('team', alice));
    expect(await userOf('another', [`X-User: ${idOf('team', alice)}`])).not.toBe(idOf('team', alice));
  });

  it('reaches neither the engine nor the log, for any key', async () => {
    const value = 'nobody-may-read-this';
    const headers = [`X-OpenWebUI-User-Id: ${value}`, `X-User: ${value}`];
    for (const key of ['team', 'another', 'single'] as const) await userOf(key, headers);
    expect(JSON.stringify(fake.received)).not.toContain(value);
    expect(JSON.stringify(corral.logged)).not.toContain(value);
  });
});
