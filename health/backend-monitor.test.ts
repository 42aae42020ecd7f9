import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../test/harness/wait-for.ts';
import type { BackendStatus } from './backend.ts';
import { type BackendMonitor, type BackendMonitorOptions, monitorBackend } from './backend-monitor.ts';
import { probe } from './probe.ts';

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
let watch: BackendMonitor | undefined;
let mood: 'loading' | 'ready' | 'timed-out';
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
    if (mood === 'timed-out') return;
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

function watched(options: BackendMonitorOptions & { apiKey?: string } = {}) {
  const seen: BackendStatus[] = [];
  /** The slots that were known whenever something was told. */
  const told: (number | undefined)[] = [];
  watch = monitorBackend(backend(options.apiKey ?? 'k'), {
    intervalWhileStartingMs: 5,
    intervalWhileReadyMs: 5,
    ...options,
    onChange(standing, { props: known }) {
      seen.push(standing);
      told.push(known?.slots);
    },
    onPropsChange: ({ props: known }) => told.push(known?.slots),
  });
  return { watch, seen, told };
}

describe('a watched backend', () => {
  it('is followed from nothing to ready, through a restart, facts known before ready is told', async () => {
    const factsWhenReady: unknown[] = [];
    const seen: BackendStatus[] = [];
    watch = monitorBackend(backend('k'), {
      intervalWhileStartingMs: 5,
      intervalWhileReadyMs: 5,
      onChange(standing, { props: known }) {
        seen.push(standing);
        if (standing === 'ready') factsWhenReady.push(known);
      },
    });
    expect(watch.status).toBe('starting');
    await appear();
    await waitFor('loading', () => watch?.status === 'loading');
    mood = 'ready';
    await waitFor('ready', () => watch?.status === 'ready');
    vanish();
    await waitFor('restarting', () => watch?.status === 'restarting');
    await appear();
    await waitFor('ready again', () => watch?.status === 'ready');
    expect(seen).toEqual(['loading', 'ready', 'restarting', 'ready']);
    expect(factsWhenReady).toEqual([facts, facts]);
  });

  it('is looked at again at once when nudged', async () => {
    mood = 'ready';
    await appear();
    const { watch: sleepy } = watched({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => sleepy.status === 'ready');
    vanish();
    sleepy.probeNow();
    await waitFor('restarting', () => sleepy.status === 'restarting');
  });

  it('stays ready while it is deaf for a moment', async () => {
    mood = 'ready';
    await appear();
    const { watch: patient, seen } = watched({ probeTimeoutMs: 20 });
    await waitFor('ready', () => patient.status === 'ready');
    mood = 'timed-out';
    expect(await probe(backend('k'), 20)).toBe('timed-out');
    mood = 'ready';
    expect(await probe(backend('k'))).toBe('ready');
    expect(seen).toEqual(['ready']);
  });

  it('tells that the key is refused', async () => {
    mood = 'ready';
    await appear();
    const { watch: mistaken } = watched({ apiKey: 'wrong' });
    await waitFor('ready', () => mistaken.status === 'ready');
    expect([mistaken.keyRejected, mistaken.props]).toEqual([true, undefined]);
  });

  it('is asked again what it is only where it may have become another', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled } = watched();
    await waitFor('ready', () => settled.status === 'ready');
    said = { ...props, total_slots: 8 };
    await settled.probe();
    expect(settled.props?.slots).toBe(4);
    await settled.refresh();
    expect(settled.props?.slots).toBe(8);
  });

  it('is asked at every look whether it sleeps, where that is followed', async () => {
    mood = 'ready';
    await appear();
    const { watch: attentive, seen } = watched({ followSleep: () => true });
    await waitFor('ready', () => attentive.status === 'ready');
    said = { ...props, is_sleeping: true };
    await waitFor('it to sleep', () => attentive.props?.sleeping);
    said = props;
    await waitFor('it to wake', () => !attentive.props?.sleeping);
    expect(seen).toEqual(['ready']);
  });

  it('is away from the moment at which its process ended, whatever is still on the way', async () => {
    mood = 'ready';
    await appear();
    const { watch: bereft, seen } = watched({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => bereft.status === 'ready');
    const underWay = bereft.probe();
    bereft.markDown();
    expect(bereft.status).toBe('restarting');
    await underWay;
    await waitFor('the next one', () => bereft.status === 'ready');
    expect(seen).toEqual(['ready', 'restarting', 'ready']);
  });

  it('is left alone after the watch is closed', async () => {
    mood = 'ready';
    await appear();
    const { watch: over, seen } = watched();
    over.close();
    over.probeNow();
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
      expect([patient.status, patient.props, told]).toEqual(['ready', undefined, [undefined]]);
      said = props;
      await waitFor('its facts', () => patient.props !== undefined);
      expect(told).toEqual([undefined, 4]);
    },
  );

  it('is forgotten when another is ready in its place and does not say', async () => {
    mood = 'ready';
    await appear();
    const { watch: wary, told } = watched({ propsTimeoutMs: 50 });
    await waitFor('its facts', () => wary.props !== undefined);
    vanish();
    await waitFor('restarting', () => wary.status === 'restarting');
    expect(wary.props?.slots).toBe(4);
    said = 'silent';
    await appear();
    await waitFor('ready again', () => wary.status === 'ready');
    expect(wary.props).toBeUndefined();
    said = { ...props, total_slots: 2 };
    await waitFor('the facts of the other', () => wary.props?.slots === 2);
    expect(told.slice(-2)).toEqual([undefined, 2]);
  });

  it('is kept while the same one does not answer for a moment', async () => {
    mood = 'ready';
    await appear();
    const { watch: calm, told } = watched({ propsMaxAgeMs: 0 });
    await waitFor('its facts', () => calm.props !== undefined);
    said = 'no JSON';
    const before = questions;
    await waitFor('further questions', () => questions > before + 2);
    expect([calm.props?.slots, told]).toEqual([4, [4]]);
  });

  it('is read again after a while, as another may have come between two looks', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled, told } = watched({ propsMaxAgeMs: 0 });
    await waitFor('its facts', () => settled.props !== undefined);
    said = { ...props, total_slots: 8, model_alias: 'another' };
    await waitFor('the new facts', () => settled.props?.modelAlias === 'another');
    expect(told).toEqual([4, 8]);
  });

  it('is read again when the traffic tells that something has changed', async () => {
    mood = 'ready';
    await appear();
    const { watch: settled, told } = watched({ intervalWhileReadyMs: 3_600_000, propsMaxAgeMs: 3_600_000 });
    await waitFor('its facts', () => settled.props !== undefined);
    said = { ...props, total_slots: 8 };
    settled.probeNow();
    await waitFor('the new facts', () => settled.props?.slots === 8);
    expect(told).toEqual([4, 8]);
  });

  it('is that it is a router, where it is one', async () => {
    mood = 'ready';
    said = { role: 'router', model_path: 'none', default_generation_settings: { n_ctx: 0 } };
    await appear();
    const { watch: watching } = watched();
    await waitFor('that it is a router', () => watching.isRouter);
    expect([watching.status, watching.props, watching.keyRejected]).toEqual(['ready', undefined, false]);
    said = props;
    await waitFor('a server behind its address', () => watching.props !== undefined);
    expect(watching.isRouter).toBe(false);
  });
});
