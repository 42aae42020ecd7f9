import type { ParentChannel } from '../../gateway/ipc/supervisor-client.ts';
import type { Backend } from '../../health/backend.ts';
import type { GatewayMessage, ModelState, SupervisorMessage } from '../../health/supervisor-messages.ts';

/** What a supervisor says of a model with one engine. */
export interface FakeModel extends Partial<Omit<ModelState, 'id'>> {
  readonly backend: Backend;
  /** Its engine is paused. */
  readonly pause?: boolean;
  /** What identifies its answers. */
  readonly identity?: string;
}

/** A supervisor of several models, whose messages the test decides. */
export interface FakeSupervisor {
  readonly channel: ParentChannel;
  /** The messages of the gateway. */
  readonly received: readonly GatewayMessage[];
  /** Sends the state of all models, by their ids. */
  report(models: Readonly<Record<string, FakeModel>>): void;
  /** The requests in line for a model, as the gateway reported them last. */
  waiting(model: string): number;
}

export function fakeSupervisor(): FakeSupervisor {
  const received: GatewayMessage[] = [];
  let listener: ((message: SupervisorMessage) => unknown) | undefined;
  let version = 0;
  return {
    received,
    channel: {
      send: (message) => void received.push(message),
      onMessage(added) {
        listener = added;
      },
    },
    report(models) {
      version += 1;
      const entries = Object.entries(models);
      listener?.({
        ...{ kind: 'engines', version },
        models: entries.map(([id, { backend: _, pause: __, identity: ___, ...state }]) => ({
          ...{ id, status: 'loaded', loadProgress: null, failure: null, pin: false, removed: false },
          ...state,
        })),
        engines: entries.map(([id, { backend, status = 'loaded', pause = false, identity }]) => ({
          ...{ id, model: id, address: backend.address, apiKey: backend.apiKey ?? '', pause },
          status: status === 'loaded' || status === 'sleeping' ? 'ready' : status,
          ...{ slots: null, loadProgress: null, maySleep: false },
          ...(identity !== undefined && { identity }),
        })),
      });
    },
    waiting(model) {
      const last = received.findLast((message) => message.kind === 'demand');
      return last?.models[model]?.waiting ?? 0;
    },
  };
}
