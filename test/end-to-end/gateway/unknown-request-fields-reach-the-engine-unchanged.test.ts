import { expect, it } from 'vitest';
import { echo, startStream } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

/** The gateway appends members that request a stream; nothing else may change. */
const asSent = (body: string) =>
  body.replace(/\}\s*$/, ',"stream":true,"stream_options":{"include_usage":true}}');

const bodies = [
  '{"messages":[{"role":"user","content":"x"}],"min_p":0.05,"new_field":{"a":[1,2,{"b":null}]}}',
  '  {\n "messages" : [ { "content" : "\\u00e9\\ud83d\\ude00 \\/ é" } ],\t"big": 123456789012345678901234567890, "f": 1.0e+2 }\n',
  '{"messages":[{"content":"x"}],"__proto__":{"stream":true},"constructor":1,"a":1,"a":2}',
  `{"messages":[{"content":"${'long '.repeat(200_000)}"}]}`,
];

it('a body arrives byte for byte', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  for (const body of bodies) {
    await using client = await RawClient.connect(corral.port);
    expect((await client.send(postOf(body)).response())?.status).toBe(200);
    expect(fakeBackend.received.at(-1)?.body).toBe(asSent(body));
  }
});

it('a body that asks for a stream arrives byte for byte', async () => {
  await using fakeBackend = await startFakeBackend((_, response) =>
    startStream(response).end('data: [DONE]\n\n'),
  );
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  await using client = await RawClient.connect(corral.port);
  const body = '{"stream":true,"messages":[{"content":"x"}],"seed":123456789012345678901234567890} ';
  expect((await client.send(postOf(body)).response())?.status).toBe(200);
  expect(fakeBackend.received.at(-1)?.body).toBe(body);
});

it('a body in chunks of one byte arrives byte for byte', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  await using client = await RawClient.connect(corral.port);
  const body = '{"messages":[{"content":"é"}]}';
  const head = postOf('', { headers: ['Transfer-Encoding: chunked'] }).replace('Content-Length: 0\r\n', '');
  const chunks = [...Buffer.from(body)].map((byte) =>
    Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]),
  );
  for (const piece of [Buffer.from(head), ...chunks, Buffer.from('0\r\n\r\n')]) client.send(piece);
  expect((await client.response())?.status).toBe(200);
  expect(fakeBackend.received.at(-1)?.body).toBe(asSent(body));
});
