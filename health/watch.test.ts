import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../scripts/harness/wait-for.ts';
import { probe } from './probe.ts';
import type { Standing } from './standing.ts';
import { type BackendWatch, type WatchOptions, watchBackend } from './watch.ts';

const props = {
  total_slots: 4,
  default_generation_settings: { n_ctx: 2048 },
  model_path: '/models/demo.gguf',
  modalities: { vision: true, audio: false },
  build_info: 'b1',
  is_sleeping: false,
};
const facts = {
  slots: 4,
  contextPerSlot: 2048,
  modelPath: '/models/demo.gguf',
  modalities: { vision: true, audio: false },
  buildInfo: 'b1',
  sleeping: false,
};

let folder: string;
let socketPath: string;
let server: Server | undefined;
let watch: BackendWatch | undefined;
let mood: 'loading' | 'ready' | 'deaf';
/** What it says of itself: a text is no JSON, `silent` no answer at all. */
let said: object | string;
/** How often it was asked what it is. */
let questions: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  socketPath = join(folder, 'b.sock');
  mood = 'loading';
  said = props;
  questions = 0;
});
afterEach(() => {
  watch?.close();
  vanish();
  rmSync(folder, { recursive: true });
});

async function appear(): Promise<void> {
  server = createServer((request, response) => {
    if (mood === 'deaf') return;
    const keyed = request.headers.authorization === 'Bearer k';
    if (request.url === '/props') tellOfItself(keyed, response);
    else response.writeHead(mood === 'ready' ? 200 : 503).end('{}');
  }).listen(socketPath);
  await once(server, 'listening');
}

function tellOfItself(keyed: boolean, response: ServerResponse): void {
  questions += 1;
  if (said === 'silent') return;
  response.writeHead(keyed ? 200 : 401).end(typeof said === 'string' ? said : JSON.stringify(said));
}

function vanish(): void {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
}

const backend = (apiKey: string) => ({ address: { origin: 'http://llama-server', socketPath }, apiKey });

function watched(options: WatchOptions & { apiKey?: string } = {}) {
  const seen: Standing[] = [];
  /** The slots that were known whenever something was told. */
  const told: (number | undefined)[] = [];
  watch = watchBackend(backend(options.apiKey ?? 'k'), {
    intervalWhileStartingMs: 5,
    intervalWhileReadyMs: 5,
    ...options,
    onChange(standing, { facts: known }) {
      seen.push(standing);
      told.push(known?.slots);
    },
    onFactsChange: ({ facts: known }) => told.push(known?.slots),
  });
  return { watch, seen, told };
}

describe('a watched backend', () => {
  it('is followed from nothing to ready, through a restart, facts known before ready is told', async () => {
    const factsWhenReady: unknown[] = [];
    const seen: Standing[] = [];
    watch = watchBackend(backend('k'), {
      intervalWhileStartingMs: 5,
      intervalWhileReadyMs: 5,
      onChange(standing, { facts: known }) {
        seen.push(standing);
        if (standing === 'ready') factsWhenReady.push(known);
      },
    });
    expect(watch.standing).toBe('starting');
    await appear();
    await waitFor('loading', () => watch?.standing === 'loading');
    mood = 'ready';
    await waitFor('ready', () => watch?.standing === 'ready');
    vanish();
    await waitFor('restarting', () => watch?.standing === 'restarting');
    await appear();
    await waitFor('ready again', () => watch?.standing === 'ready');
    expect(seen).toEqual(['loading', 'ready', 'restarting', 'ready']);
    expect(factsWhenReady).toEqual([facts, facts]);
  });

  it('is looked at again at once when nudged', async () => {
    mood = 'ready';
    await appear();
    const { watch: sleepy } = watched({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => sleepy.standing === 'ready');
    vanish();
    sleepy.nudge();
    await waitFor('restarting', () => sleepy.standing === 'restarting');
  });

  it('stays ready while it is deaf for a moment', async () => {
    mood = 'ready';
    await appear();
    const { watch: patient, seen } = watched({ probeTimeoutMs: 20 });
    await waitFor('ready', () => patient.standing === 'ready');
    mood = 'deaf';
    expect(await probe(backend('k'), 20)).toBe('deaf');
    mood = 'ready';
    expect(await probe(backend('k'))).toBe('ready');
    expect(seen).toEqual(['ready']);
  });

  it('tells that the key is refused', async () => {
    mood = 'ready';
    await appear();
    const { watch: mistaken } = watched({ apiKey: 'wrong' });
    await waitFor('ready', () => mistaken.standing === 'ready');
    expect([mistaken.keyRefused, mistaken.facts]).toEqual([true, undefined]);
  });

  it('is asked again what it is only where it may have become another', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled } = watched();
    await waitFor('ready', () => settled.standing === 'ready');
    said = { ...props, total_slots: 8 };
    await settled.look();
    expect(settled.facts?.slots).toBe(4);
    await settled.relearn();
    expect(settled.facts?.slots).toBe(8);
  });

  it('is asked at every look whether it sleeps, where that is followed', async () => {
    mood = 'ready';
    await appear();
    const { watch: attentive, seen } = watched({ followSleep: () => true });
    await waitFor('ready', () => attentive.standing === 'ready');
    said = { ...props, is_sleeping: true };
    await waitFor('it to sleep', () => attentive.facts?.sleeping);
    said = props;
    await waitFor('it to wake', () => !attentive.facts?.sleeping);
    expect(seen).toEqual(['ready']);
  });

  it('is away from the moment at which its process ended, whatever is still on the way', async () => {
    mood = 'ready';
    await appear();
    const { watch: bereft, seen } = watched({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => bereft.standing === 'ready');
    const underWay = bereft.look();
    bereft.lost();
    expect(bereft.standing).toBe('restarting');
    await underWay;
    await waitFor('the next one', () => bereft.standing === 'ready');
    expect(seen).toEqual(['ready', 'restarting', 'ready']);
  });

  it('is left alone after the watch is closed', async () => {
    mood = 'ready';
    await appear();
    const { watch: over, seen } = watched();
    over.close();
    over.nudge();
    expect(await probe(backend('k'))).toBe('ready');
    expect(seen).toEqual([]);
  });
});

describe('what a backend says of itself', () => {
  it.each(['silent', 'no JSON', {}, { total_slots: 'many' }])(
    'is asked for until it can be read, and told then: %j',
    async (firstAnswer) => {
      mood = 'ready';
      said = firstAnswer;
      await appear();
      const { watch: patient, told } = watched({ propsTimeoutMs: 50 });
      await waitFor('a second question', () => questions > 1);
      expect([patient.standing, patient.facts, told]).toEqual(['ready', undefined, [undefined]]);
      said = props;
      await waitFor('its facts', () => patient.facts !== undefined);
      expect(told).toEqual([undefined, 4]);
    },
  );

  it('is forgotten when another is ready in its place and does not say', async () => {
    mood = 'ready';
    await appear();
    const { watch: wary, told } = watched({ propsTimeoutMs: 50 });
    await waitFor('its facts', () => wary.facts !== undefined);
    vanish();
    await waitFor('restarting', () => wary.standing === 'restarting');
    expect(wary.facts?.slots).toBe(4);
    said = 'silent';
    await appear();
    await waitFor('ready again', () => wary.standing === 'ready');
    expect(wary.facts).toBeUndefined();
    said = { ...props, total_slots: 2 };
    await waitFor('the facts of the other', () => wary.facts?.slots === 2);
    expect(told.slice(-2)).toEqual([undefined, 2]);
  });

  it('is kept while the same one does not answer for a moment', async () => {
    mood = 'ready';
    await appear();
    const { watch: calm, told } = watched({ factsHoldMs: 0 });
    await waitFor('its facts', () => calm.facts !== undefined);
    said = 'no JSON';
    const before = questions;
    await waitFor('further questions', () => questions > before + 2);
    expect([calm.facts?.slots, told]).toEqual([4, [4]]);
  });

  it('is read again after a while, as another may have come between two looks', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled, told } = watched({ factsHoldMs: 0 });
    await waitFor('its facts', () => settled.facts !== undefined);
    said = { ...props, total_slots: 8, model_alias: 'another' };
    await waitFor('the new facts', () => settled.facts?.modelAlias === 'another');
    expect(told).toEqual([4, 8]);
  });

  it('is read again when the traffic tells that something has changed', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled, told } = watched({ intervalWhileReadyMs: 3_600_000, factsHoldMs: 3_600_000 });
    await waitFor('its facts', () => settled.facts !== undefined);
    said = { ...props, total_slots: 8 };
    settled.nudge();
    await waitFor('the new facts', () => settled.facts?.slots === 8);
    expect(told).toEqual([4, 8]);
  });

  it('is that it is a router, where it is one', async () => {
    mood = 'ready';
    said = { role: 'router', model_path: 'none', default_generation_settings: { n_ctx: 0 } };
    await appear();
    const { watch: watching } = watched();
    await waitFor('that it is a router', () => watching.isRouter);
    expect([watching.standing, watching.facts, watching.keyRefused]).toEqual(['ready', undefined, false]);
    said = props;
    await waitFor('a server behind its address', () => watching.facts !== undefined);
    expect(watching.isRouter).toBe(false);
  });
});
