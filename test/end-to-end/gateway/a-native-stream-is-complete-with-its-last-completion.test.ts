import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { requestEvents } from '../../harness/request-events.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { withLine } from '../../harness/with-line.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let wire: CuttingBackend;
let corral: TestGateway;

beforeAll(async () => {
  llama = await startLlamaServer({ slots: 4 });
  wire = await startCuttingBackend(llama);
  corral = await startTestGateway({ backend: wire.backend, env: { AUTH_ENABLED: 'false' } });
});
afterAll(async () => {
  await corral.stop();
  await wire.stop();
  await llama.stop();
});

const send = (fields: object) => requestEvents(corral.port, '/completion', { n_predict: 4, ...fields });
const isError = ({ error }: { readonly error?: unknown }) => error !== undefined;

it.each([
  ['nothing but the text', ['content']],
  ['its end', ['content', 'stop']],
  ['a field in a field', ['generation_settings/n_predict']],
  ['what there is not', ['no_such_field']],
  ['all of it', []],
])('a stream whose last event has only %s ends without an error', async (_, response_fields) => {
  for (const prompt of ['Once', ['Once', 'keys']]) {
    const [{ events, text }, line] = await withLine(corral, () => send({ prompt, response_fields }));
    expect(events.filter(isError)).toEqual([]);
    expect(events.map(({ content }) => content ?? '').join('')).toContain(' upon');
    expect(text.match(/^data: \{/gm)?.length).toBe(events.length);
    expect(line).toMatchObject({ status: 200 });
    expect(line).not.toHaveProperty('error');
  }
});

it.each<[string, object, number]>([
  ['one prompt', { prompt: 'Once' }, 1],
  ['several prompts', { prompt: ['Once', 'keys', 'limits'] }, 3],
  ['several choices', { prompt: 'Once', n: 2 }, 2],
  ['several choices of several prompts', { prompt: ['Once', 'keys'], n: 2 }, 4],
  ['one prompt of token numbers and text', { prompt: [1, 'Once'] }, 1],
  [
    'a stop that is not reported',
    { prompt: ['Once', 'keys'], response_fields: ['content'] },
    Number.POSITIVE_INFINITY,
  ],
])(
  'a stream of %s fails where it is cut before its last completion has ended',
  async (_, fields, responses) => {
    const complete = await send(fields);
    for (let cutAfter = 1; cutAfter <= complete.events.length; cutAfter++) {
      // llama-server begins a stream of several with an empty event, which is removed.
      wire.cuts = [cutAfter];
      const { events, text } = await send(fields);
      const ended = text.match(/^data: \{.*"stop":true/gm)?.length ?? 0;
      expect(events.some(isError), `cut after ${cutAfter} events`).toBe(ended < responses);
    }
  },
);

it('no lease is left behind', () => gatewayIsIdle(corral));
