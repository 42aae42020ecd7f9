import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineState, SupervisorMessage } from '../health/supervisor-messages.ts';
import type { Engine } from './engine.ts';
import { GatewayLink } from './gateway-link.ts';
import { IdleTimer } from './idle-timer.ts';
import type { ServedModel } from './served-model.ts';

const loaded: EngineState = {
  id: 'a',
  model: 'a',
  address: { origin: 'http://llama-server', socketPath: '/a.sock' },
  apiKey: 'k',
  status: 'ready',
  slots: 1,
  loadProgress: null,
  pause: false,
  maySleep: false,
};

let state: EngineState;
let sent: SupervisorMessage[];
let link: GatewayLink;
const drained = vi.fn<() => void>();
const forgiveExits = vi.fn<(count: number) => void>();
const onDemand = vi.fn<() => void>();

beforeEach(() => {
  vi.clearAllMocks();
  state = loaded;
  sent = [];
  // The link reads and calls only these of an engine and a model.
  const engine = {
    id: 'a',
    drained,
    forgiveExits,
    get state() {
      return state;
    },
  } as unknown as Engine;
  const model = { engines: [engine], state: { id: 'a', status: 'loaded' } } as unknown as ServedModel;
  link = new GatewayLink({
    onListening: () => {},
    send: (message) => void sent.push(message),
    models: () => [model],
    only: undefined,
    idleTimer: new IdleTimer({ limitMs: undefined, onLimit: () => {} }),
    requestRestart: () => ({ outcome: 'accepted' }),
    requestAction: (id) => ({ outcome: 'rejected', problem: id }),
    onDemand,
  });
});

describe('the state of the engines', () => {
  it('is sent when it has changed, with a growing version, and to each new gateway', () => {
    link.update();
    link.update();
    state = { ...loaded, status: 'restarting' };
    link.update();
    expect(sent).toMatchObject([
      { kind: 'engines', version: 1, engines: [{ status: 'ready' }] },
      { kind: 'engines', version: 2, engines: [{ status: 'restarting' }] },
    ]);
    expect(link.initialMessages).toMatchObject([{ kind: 'engines', version: 2 }]);
  });
});

describe('a report that an engine is drained', () => {
  const report = (version: number) => link.onMessage({ kind: 'engine-drained', engine: 'a', version });

  it('counts from the state that paused the engine on', () => {
    link.update();
    report(1);
    state = { ...loaded, pause: true };
    link.update();
    report(1);
    expect(drained).not.toHaveBeenCalled();
    report(2);
    expect(drained).toHaveBeenCalledOnce();
  });

  it('does not count for a later pause', () => {
    state = { ...loaded, pause: true };
    link.update();
    state = loaded;
    link.update();
    state = { ...loaded, pause: true };
    link.update();
    report(1);
    report(2);
    expect(drained).not.toHaveBeenCalled();
    report(3);
    expect(drained).toHaveBeenCalledOnce();
  });
});

it('other messages reach their engine, or get their reply', () => {
  link.onMessage({ kind: 'crash-cause-found', crashes: 2, engine: 'a' });
  link.onMessage({ kind: 'crash-cause-found', crashes: 3, engine: 'z' });
  expect(forgiveExits.mock.calls).toEqual([[2]]);
  link.onMessage({ kind: 'demand', models: {}, leases: {} });
  expect(onDemand).toHaveBeenCalledOnce();
  const target = { model: 'a', weight: 1, effectiveWeight: 1, suspended: null };
  link.onMessage({ kind: 'aliases', aliases: [{ name: 'latest', targets: [target] }] });
  expect(link.aliases).toEqual([{ name: 'latest', targets: [target] }]);
  link.onMessage({ kind: 'restart-request', id: 7, changes: {} });
  link.onMessage({ kind: 'model-request', id: 8, model: 'a', action: 'load' });
  expect(sent).toEqual([
    { kind: 'restart-reply', id: 7, result: { outcome: 'accepted' } },
    { kind: 'model-reply', id: 8, result: { outcome: 'rejected', problem: 'a' } },
  ]);
});
