import { expect, it } from 'vitest';
import { allResults, createBatchOfLines, untilEnded } from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';

it('lines that continue one conversation each get their turn of it, beside lines that do not', async () => {
  await using product = await startBatchRunner();
  const { store, deployment } = product;
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: 'Bearer sk-app-0123456789abcdef', 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1${path}`, {
      ...init,
      headers,
    });
    // biome-ignore lint/suspicious/noExplicitAny: a conversation or its items
    return (await response.json()) as any;
  };
  const { id: conversation } = await request('/conversations', { method: 'POST', body: '{}' });
  const lines = Array.from({ length: 10 }, (_, n) => ({
    ...{ custom_id: `line-${n}`, method: 'POST', url: '/v1/responses' },
    body: {
      ...{ model: 'demo', input: `question ${n}`, max_output_tokens: 20 },
      ...(n < 6 && { conversation, store: true }),
    },
  }));
  const ended = await untilEnded(
    store,
    await createBatchOfLines(store, lines, { endpoint: '/v1/responses' }),
  );
  expect(ended).toMatchObject({ status: 'completed', counts: { total: 10, completed: 10, failed: 0 } });
  expect(await allResults(store, ended)).toHaveLength(10);
  const { data: items } = await request(`/conversations/${conversation}/items?order=asc&limit=100`);
  const roles = items.map(({ role }: { role: string }) => role);
  expect(roles).toEqual(Array.from({ length: 6 }, () => ['user', 'assistant']).flat());
  const questions = items.flatMap(({ role, content }: { role: string; content: { text: string }[] }) =>
    role === 'user' ? content.map(({ text }) => text) : [],
  );
  expect(questions.toSorted()).toEqual(lines.slice(0, 6).map(({ body }) => body.input));
});
