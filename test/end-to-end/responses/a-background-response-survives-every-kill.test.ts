import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { hasEnded, type StoredResponse } from '../../../store/response.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { type BatchDeployment, defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { isRunning, newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const env = { CTX: '32768', LOG_FORMAT: 'json', STORE_KEY: '0123456789abcdef'.repeat(4) };
const start = (folder: string, more: Readonly<Record<string, string>> = {}) =>
  startBatchRunner({ folder, env: { ...env, ...more } });

/** A response of several seconds. */
async function create({ deployment }: BatchDeployment): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${defaultKeys.app.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', input: 'long story', temperature: 0, background: true }),
  });
  expect(response.status).toBe(200);
  const { id, status } = (await response.json()) as { id: string; status: string };
  expect(status).toBe('queued');
  return id;
}

async function kill(product: BatchDeployment, victim: 'engine' | 'gateway' | 'runner'): Promise<void> {
  const pid = product.pidOf(victim) ?? 0;
  killProcess(pid, 'SIGKILL');
  await waitFor('its end', () => !isRunning(pid));
}

async function killAll({ deployment, store }: BatchDeployment): Promise<void> {
  const children = deployment.children();
  deployment.process.kill('SIGKILL');
  await deployment.exitCode();
  await waitFor('the children to end', () => !children.some(isRunning));
  store[Symbol.dispose]();
}

const eventsOf = ({ store }: BatchDeployment, id: string, after = -1) =>
  store.responses.eventsAfter(id, after, Number.POSITIVE_INFINITY);

/** Resolves with the events so far in the middle of the response. */
const untilHalfDone = (product: BatchDeployment, id: string) =>
  waitFor('a part of it', () => {
    const events = eventsOf(product, id);
    return events.length > 300 ? events : undefined;
  });

const ended = ({ store }: BatchDeployment, id: string): Promise<StoredResponse> =>
  waitFor(
    'the end',
    () => {
      const response = store.responses.get('app', id);
      return response && hasEnded(response.status) ? response : undefined;
    },
    { within: 120_000, every: 50 },
  );

const linesOf = ({ deployment }: BatchDeployment) =>
  deployment
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** That it was continued once, by the process that is named, and has the exact text and numbers. */
async function expectContinued(product: BatchDeployment, id: string, before: number): Promise<void> {
  const { status, object } = await ended(product, id);
  expect(status).toBe('completed');
  const text = storyText('long story');
  const [item] = object.output as { content: { text: string }[] }[];
  expect(item?.content[0]?.text).toBe(text);
  const events = eventsOf(product, id).map((event) => ({
    ...event,
    data: JSON.parse(event.text.split('\ndata: ')[1] ?? ''),
  }));
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, n) => n));
  const deltas = events.filter(({ data }) => data.type === 'response.output_text.delta');
  expect(deltas.map(({ data }) => data.delta).join('')).toBe(text);
  expect(events.length).toBeGreaterThan(before);
  const line = await waitFor('its line', () =>
    linesOf(product).findLast((it) => it.id === id && it.status === 200),
  );
  expect(line).toMatchObject({ continued: 1, path: '/v1/responses' });
  expect(linesOf(product).filter(({ msg }) => String(msg).includes('begins anew'))).toEqual([]);
}

it('a kill of the engine, the gateway, the runner or all of them costs nothing that was generated', async () => {
  const folder = newFolder();
  let product = await start(folder);
  try {
    for (const victim of ['engine', 'gateway', 'runner'] as const) {
      const id = await create(product);
      const events = await untilHalfDone(product, id);
      await kill(product, victim);
      await expectContinued(product, id, events.length);
      await product.deployment.reachesStatus('ready');
    }
    const id = await create(product);
    const events = await untilHalfDone(product, id);
    await killAll(product);
    product = await start(folder);
    expect(eventsOf(product, id).slice(0, events.length)).toEqual(events);
    await expectContinued(product, id, events.length);
  } finally {
    await product[Symbol.asyncDispose]();
  }
});

it('a stop stores what was generated, and the next start goes on from there', async () => {
  const folder = newFolder();
  const first = await start(folder, { DRAIN_TIMEOUT: '200ms' });
  const id = await create(first);
  const { length } = await untilHalfDone(first, id);
  first.deployment.process.kill('SIGTERM');
  expect(await first.deployment.exitCode()).toBe(0);
  expect(first.store.responses.get('app', id)?.status).toBe('in_progress');
  expect(linesOf(first).filter(({ msg }) => String(msg).includes('unhandled'))).toEqual([]);
  first.store[Symbol.dispose]();

  await using second = await start(folder);
  expect(eventsOf(second, id).length).toBeGreaterThanOrEqual(length);
  await expectContinued(second, id, length);
});
