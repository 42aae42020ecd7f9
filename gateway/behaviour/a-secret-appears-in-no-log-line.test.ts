import { expect, it } from 'vitest';
import { keyFileText } from '../../scripts/harness/key-file-text.ts';
import { RawClient } from '../../scripts/harness/raw-client.ts';
import { chatOf, postOf } from '../../scripts/harness/raw-request.ts';
import { startTestGateway, testerSecret } from '../../scripts/harness/start-gateway.ts';
import { startStandInBackend } from '../../scripts/harness/start-stand-in-backend.ts';
import { waitFor } from '../../scripts/harness/wait-for.ts';

const secrets = {
  known: testerSecret,
  unknown: 'sk-unknown-6f1b7c2e9d',
  inline: 'sk-inline-6f1b7c2e9d',
  disabled: 'sk-disabled-6f1b7c2e9d',
  prompt: 'my-bank-pin-is-4711',
  query: 'sk-in-the-query-6f1b7c2e9d',
};

it('whatever goes wrong', async () => {
  await using standIn = await startStandInBackend((request, response) => {
    if (request.body.includes('break')) response.destroy();
    else if (request.body.includes('fail'))
      response.writeHead(500).end('{"error":{"message":"no","code":500}}');
    else if (request.body.includes('refuse'))
      response.writeHead(401).end('{"error":{"message":"Invalid API Key","code":401}}');
    else response.end('{}');
  });
  await using corral = await startTestGateway({
    backend: standIn.backend,
    keys: keyFileText({
      known: { secret: secrets.known },
      disabled: { secret: secrets.disabled, disabled: true },
    }),
    env: { API_KEYS: `inline:${secrets.inline}` },
  });
  const asked: string[] = [];
  for (const secret of [secrets.known, secrets.unknown, secrets.inline, secrets.disabled]) {
    for (const word of ['hello', 'break', 'fail', 'refuse']) {
      asked.push(postOf(chatOf(`${word} ${secrets.prompt}`), { secret }));
      asked.push(
        postOf(chatOf(`${word} ${secrets.prompt}`), { secret: null, headers: [`x-api-key: ${secret}`] }),
      );
    }
    asked.push(postOf(`{"${secrets.prompt}": ${secrets.prompt}`, { secret }));
    asked.push(postOf(chatOf('hello'), { secret, path: `/v1/chat/completions?key=${secrets.query}` }));
    asked.push(postOf(chatOf('hello'), { secret, path: `/nowhere?key=${secrets.query}` }));
    asked.push(`GET /v1/models HTTP/1.1\r\nHost: a b\r\nAuthorization: ${secret}\r\n\r\n`);
    asked.push(`rubbish ${secret}\r\n\r\n`);
  }
  const answers: string[] = [];
  for (const bytes of asked) {
    await using client = await RawClient.connect(corral.port);
    const answer = await client.send(bytes).answer();
    answers.push(JSON.stringify(answer));
  }
  await waitFor(
    'a line for each that was understood',
    () => corral.logged.filter(({ id }) => id).length >= 44,
  );
  expect(corral.logged.some(({ error }) => error === 'bad_gateway')).toBe(true);
  const told = `${JSON.stringify(corral.logged)}${answers.join('')}`;
  for (const secret of [...Object.values(secrets), standIn.backend.apiKey ?? '', 'stand-in-key']) {
    expect(told).not.toContain(secret);
  }
});
