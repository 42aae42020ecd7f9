import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EnginesMessage, GatewayMessage, SupervisorMessage } from '../../health/supervisor-messages.ts';
import { reportActivity, SupervisorClient } from './supervisor-client.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports the first request at once, and their absence after a delay', () => {
  const send = vi.fn();
  const report = reportActivity(send);
  report(1);
  report(2);
  expect(send.mock.calls).toEqual([[{ kind: 'busy' }]]);
  report(1);
  report(0);
  vi.advanceTimersByTime(999);
  expect(send).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1);
  expect(send).toHaveBeenLastCalledWith({ kind: 'idle', forMs: 1000 });
});

it('sends nothing while one request follows another', () => {
  const send = vi.fn();
  const report = reportActivity(send);
  for (let n = 0; n < 1000; n++) {
    report(1);
    report(0);
    vi.advanceTimersByTime(500);
  }
  expect(send.mock.calls).toEqual([[{ kind: 'busy' }]]);
});

describe('several models', () => {
  function connect() {
    const sent: GatewayMessage[] = [];
    let receive = (_: SupervisorMessage): unknown => undefined;
    const client = new SupervisorClient({
      send: (message) => void sent.push(message),
      onMessage: (listener) => {
        receive = listener;
      },
    });
    const handlers = {
      onEngineState: vi.fn<() => Promise<void>>(() => Promise.resolve()),
      onEngines: vi.fn<(message: EnginesMessage) => void>(),
      onEngineStoppedFromOutside: vi.fn<(engine?: string) => void>(),
    };
    client.subscribe(handlers);
    return { client, handlers, sent, receive: (message: SupervisorMessage) => receive(message) };
  }

  it('their state reaches its handler, and is no state of the only engine', () => {
    const { client, handlers, receive, sent } = connect();
    const message = { kind: 'engines', version: 1, models: [], engines: [] } as const;
    receive(message);
    receive({ kind: 'engine-stopped-from-outside', engine: 'a' });
    expect([client.isPresent, handlers.onEngines.mock.calls]).toEqual([true, [[message]]]);
    expect(client.engines).toEqual(message);
    expect(handlers.onEngineStoppedFromOutside).toHaveBeenCalledWith('a');
    expect([handlers.onEngineState.mock.calls, sent]).toEqual([[], []]);
  });

  it('a request of an administrator gets the reply with its id', async () => {
    const { client, receive, sent } = connect();
    expect(await client.requestModelAction('a', 'load')).toBeUndefined();
    receive({ kind: 'engines', version: 1, models: [], engines: [] });
    const [load, unload] = [client.requestModelAction('a', 'load'), client.requestModelAction('a', 'unload')];
    expect(sent).toMatchObject([
      { kind: 'model-request', model: 'a', action: 'load' },
      { kind: 'model-request', model: 'a', action: 'unload' },
    ]);
    const [first, second] = sent.map((message) => ('id' in message ? message.id : 0));
    receive({ kind: 'model-reply', id: second ?? 0, result: { outcome: 'in-progress' } });
    receive({ kind: 'model-reply', id: first ?? 0, result: { outcome: 'accepted' } });
    expect([await load, await unload]).toEqual([{ outcome: 'accepted' }, { outcome: 'in-progress' }]);
  });

  it('demand and drained engines are reported', () => {
    const { client, sent } = connect();
    client.reportDemand({ models: { a: { waiting: 1, oldestWaitMs: 5 } }, leases: { a: 2 } });
    client.reportDrained('a', 3);
    expect(sent).toEqual([
      { kind: 'demand', models: { a: { waiting: 1, oldestWaitMs: 5 } }, leases: { a: 2 } },
      { kind: 'engine-drained', engine: 'a', version: 3 },
    ]);
  });
});
