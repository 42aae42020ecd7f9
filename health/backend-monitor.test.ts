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
const parsedProps = {
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
let monitor: BackendMonitor | undefined;
let state: 'loading' | 'ready' | 'timed-out';
/** Its response to `/props`: a text is invalid JSON, `silent` is no response. */
let reported: object | string;
/** The number of requests to `/props`. */
let propsRequests: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'monitor-'));
  socketPath = join(folder, 'b.sock');
  state = 'loading';
  reported = props;
  propsRequests = 0;
});
afterEach(() => {
  monitor?.close();
  stopBackend();
  rmSync(folder, { recursive: true });
});

async function startBackend(): Promise<void> {
  server = createServer((request, response) => {
    if (state === 'timed-out') return;
    const keyed = request.headers.authorization === 'Bearer k';
    if (request.url === '/props') respondWithProps(keyed, response);
    else response.writeHead(state === 'ready' ? 200 : 503).end('{}');
  }).listen(socketPath);
  await once(server, 'listening');
}

function respondWithProps(keyed: boolean, response: ServerResponse): void {
  propsRequests += 1;
  if (reported === 'silent') return;
  response
    .writeHead(keyed ? 200 : 401)
    .end(typeof reported === 'string' ? reported : JSON.stringify(reported));
}

function stopBackend(): void {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
}

const backend = (apiKey: string) => ({ address: { origin: 'http://llama-server', socketPath }, apiKey });

function monitored(options: BackendMonitorOptions & { apiKey?: string } = {}) {
  const seen: BackendStatus[] = [];
  /** The known slots at each callback. */
  const slots: (number | undefined)[] = [];
  monitor = monitorBackend(backend(options.apiKey ?? 'k'), {
    intervalWhileStartingMs: 5,
    intervalWhileReadyMs: 5,
    ...options,
    onChange(status, { props: known }) {
      seen.push(status);
      slots.push(known?.slots);
    },
    onPropsChange: ({ props: known }) => slots.push(known?.slots),
  });
  return { monitor, seen, slots };
}

describe('a monitored backend', () => {
  it('is followed from its start through a restart, and its props are known when it is ready', async () => {
    const propsWhenReady: unknown[] = [];
    const seen: BackendStatus[] = [];
    monitor = monitorBackend(backend('k'), {
      intervalWhileStartingMs: 5,
      intervalWhileReadyMs: 5,
      onChange(status, { props: known }) {
        seen.push(status);
        if (status === 'ready') propsWhenReady.push(known);
      },
    });
    expect(monitor.status).toBe('starting');
    await startBackend();
    await waitFor('loading', () => monitor?.status === 'loading');
    state = 'ready';
    await waitFor('ready', () => monitor?.status === 'ready');
    stopBackend();
    await waitFor('restarting', () => monitor?.status === 'restarting');
    await startBackend();
    await waitFor('ready again', () => monitor?.status === 'ready');
    expect(seen).toEqual(['loading', 'ready', 'restarting', 'ready']);
    expect(propsWhenReady).toEqual([parsedProps, parsedProps]);
  });

  it('is probed at once on request', async () => {
    state = 'ready';
    await startBackend();
    const { monitor } = monitored({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => monitor.status === 'ready');
    stopBackend();
    monitor.probeNow();
    await waitFor('restarting', () => monitor.status === 'restarting');
  });

  it('stays ready while it does not respond for a moment', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, seen } = monitored({ probeTimeoutMs: 20 });
    await waitFor('ready', () => monitor.status === 'ready');
    state = 'timed-out';
    expect(await probe(backend('k'), 20)).toBe('timed-out');
    state = 'ready';
    expect(await probe(backend('k'))).toBe('ready');
    expect(seen).toEqual(['ready']);
  });

  it('shows that the key is rejected', async () => {
    state = 'ready';
    await startBackend();
    const { monitor } = monitored({ apiKey: 'wrong' });
    await waitFor('ready', () => monitor.status === 'ready');
    expect([monitor.keyRejected, monitor.props]).toEqual([true, undefined]);
  });

  it('reads the props again only on refresh', async () => {
    state = 'ready';
    await startBackend();
    const { monitor } = monitored();
    await waitFor('ready', () => monitor.status === 'ready');
    reported = { ...props, total_slots: 8 };
    await monitor.probe();
    expect(monitor.props?.slots).toBe(4);
    await monitor.refresh();
    expect(monitor.props?.slots).toBe(8);
  });

  it('checks with every probe whether it sleeps, if sleep is monitored', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, seen } = monitored({ followSleep: () => true });
    await waitFor('ready', () => monitor.status === 'ready');
    reported = { ...props, is_sleeping: true };
    await waitFor('it to sleep', () => monitor.props?.sleeping);
    reported = props;
    await waitFor('it to wake', () => !monitor.props?.sleeping);
    expect(seen).toEqual(['ready']);
  });

  it('is down from the moment it is marked down, whatever a pending probe returns', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, seen } = monitored({ intervalWhileReadyMs: 3_600_000 });
    await waitFor('ready', () => monitor.status === 'ready');
    const underWay = monitor.probe();
    monitor.markDown();
    expect(monitor.status).toBe('restarting');
    await underWay;
    await waitFor('the next one', () => monitor.status === 'ready');
    expect(seen).toEqual(['ready', 'restarting', 'ready']);
  });

  it('is not probed after the monitor is closed', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, seen } = monitored();
    monitor.close();
    monitor.probeNow();
    expect(await probe(backend('k'))).toBe('ready');
    expect(seen).toEqual([]);
  });
});

describe('the props of a backend', () => {
  it.each(['silent', 'invalid JSON', {}, { total_slots: 'many' }])(
    'are requested until they can be read: %j',
    async (firstResponse) => {
      state = 'ready';
      reported = firstResponse;
      await startBackend();
      const { monitor, slots } = monitored({ propsTimeoutMs: 50 });
      await waitFor('a second request', () => propsRequests > 1);
      expect([monitor.status, monitor.props, slots]).toEqual(['ready', undefined, [undefined]]);
      reported = props;
      await waitFor('its props', () => monitor.props !== undefined);
      expect(slots).toEqual([undefined, 4]);
    },
  );

  it('are forgotten when another backend is ready in its place and reports none', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, slots } = monitored({ propsTimeoutMs: 50 });
    await waitFor('its props', () => monitor.props !== undefined);
    stopBackend();
    await waitFor('restarting', () => monitor.status === 'restarting');
    expect(monitor.props?.slots).toBe(4);
    reported = 'silent';
    await startBackend();
    await waitFor('ready again', () => monitor.status === 'ready');
    expect(monitor.props).toBeUndefined();
    reported = { ...props, total_slots: 2 };
    await waitFor('the props of the other', () => monitor.props?.slots === 2);
    expect(slots.slice(-2)).toEqual([undefined, 2]);
  });

  it('are kept while the same backend does not respond for a moment', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, slots } = monitored({ propsMaxAgeMs: 0 });
    await waitFor('its props', () => monitor.props !== undefined);
    reported = 'invalid JSON';
    const before = propsRequests;
    await waitFor('further requests', () => propsRequests > before + 2);
    expect([monitor.props?.slots, slots]).toEqual([4, [4]]);
  });

  it('are read again after a while, because another backend may have come', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, slots } = monitored({ propsMaxAgeMs: 0 });
    await waitFor('its props', () => monitor.props !== undefined);
    reported = { ...props, total_slots: 8, model_alias: 'another' };
    await waitFor('the new props', () => monitor.props?.modelAlias === 'another');
    expect(slots).toEqual([4, 8]);
  });

  it('are read again when a probe is requested', async () => {
    state = 'ready';
    await startBackend();
    const { monitor, slots } = monitored({ intervalWhileReadyMs: 3_600_000, propsMaxAgeMs: 3_600_000 });
    await waitFor('its props', () => monitor.props !== undefined);
    reported = { ...props, total_slots: 8 };
    monitor.probeNow();
    await waitFor('the new props', () => monitor.props?.slots === 8);
    expect(slots).toEqual([4, 8]);
  });

  it('show whether it is a router', async () => {
    state = 'ready';
    reported = { role: 'router', model_path: 'none', default_generation_settings: { n_ctx: 0 } };
    await startBackend();
    const { monitor } = monitored();
    await waitFor('that it is a router', () => monitor.isRouter);
    expect([monitor.status, monitor.props, monitor.keyRejected]).toEqual(['ready', undefined, false]);
    reported = props;
    await waitFor('a server behind its address', () => monitor.props !== undefined);
    expect(monitor.isRouter).toBe(false);
  });
});
