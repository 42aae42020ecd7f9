import type {
  AliasState,
  DemandMessage,
  EngineStateMessage,
  EnginesMessage,
  GatewayMessage,
  ModelAction,
  ModelRequestOutcome,
  RestartOutcome,
  SettingChanges,
  SupervisorMessage,
} from '../../health/supervisor-messages.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';

/** How long the supervisor may take to check a request, ms: it reads at most the header of a model file. */
const REPLY_TIMEOUT = 10_000;

/** Handlers of the messages from the supervisor. */
export interface SupervisorHandlers {
  /** Resolves when, after a message that pauses, no request is at the engine any more. */
  readonly onEngineState: (message: EngineStateMessage) => Promise<void>;
  /** The new state of all models and engines. Report each paused engine that has no requests with `reportDrained`. */
  readonly onEngines?: (message: EnginesMessage) => void;
  /** No request was the cause of the engine's last stop. `engine` is its id. */
  readonly onEngineStoppedFromOutside: (engine?: string) => void;
}

/** The gateway's connection to its supervisor, if it has one: `isPresent` from the first message on. */
export class SupervisorClient {
  readonly #channel: ParentChannel | undefined;
  readonly #pendingReplies = new Map<number, (result: Reply) => void>();
  #isPresent = false;
  #engines: EnginesMessage | undefined;
  #lastId = 0;
  /** Call it with the number of requests in progress, whenever it changes. */
  readonly reportRequestCount: (open: number) => void;

  constructor(channel: ParentChannel | undefined) {
    this.#channel = channel;
    this.reportRequestCount = reportActivity((message) => channel?.send(message));
  }

  /** Whether the supervisor has sent a message. */
  get isPresent(): boolean {
    return this.#isPresent;
  }

  /** The last state of all models and engines; undefined before the first one. */
  get engines(): EnginesMessage | undefined {
    return this.#engines;
  }

  /** Passes its messages to the handlers from now on. */
  subscribe(handlers: SupervisorHandlers): void {
    this.#channel?.onMessage((message) => this.#onMessage(message, handlers).catch(recordUnhandledError));
  }

  /** The gateway has its port. */
  reportListening(): void {
    this.#channel?.send({ kind: 'listening' });
  }

  /** Reports crashes of an engine that a single request caused. */
  reportCrashCause(crashes: number, engine?: string): void {
    this.#channel?.send({ kind: 'crash-cause-found', crashes, ...(engine !== undefined && { engine }) });
  }

  /** Call it when the demand has changed, at most every half second. */
  reportDemand(demand: Omit<DemandMessage, 'kind'>): void {
    this.#channel?.send({ kind: 'demand', ...demand });
  }

  /** Call it when an alias has changed. */
  reportAliases(aliases: readonly AliasState[]): void {
    this.#channel?.send({ kind: 'aliases', aliases });
  }

  /** The engine, paused in the state of this version, has no requests any more. */
  reportDrained(engine: string, version: number): void {
    this.#channel?.send({ kind: 'engine-drained', engine, version });
  }

  /** Undefined where there is no supervisor. */
  async restartEngine(changes: SettingChanges): Promise<RestartOutcome | undefined> {
    const result = await this.#request((id) => ({ kind: 'restart-request', id, changes }));
    return result as RestartOutcome | undefined;
  }

  /** Undefined where there is no supervisor. */
  async requestModelAction(model: string, action: ModelAction): Promise<ModelRequestOutcome | undefined> {
    const result = await this.#request((id) => ({ kind: 'model-request', id, model, action }));
    return result as ModelRequestOutcome | undefined;
  }

  /** The reply with the id of the request; undefined if there is none in time. */
  async #request(createMessage: (id: number) => GatewayMessage): Promise<Reply | undefined> {
    if (!this.#isPresent) return undefined;
    const { promise, resolve } = Promise.withResolvers<Reply | undefined>();
    const id = ++this.#lastId;
    const timer = setTimeout(() => resolve(undefined), REPLY_TIMEOUT);
    this.#pendingReplies.set(id, resolve);
    this.#channel?.send(createMessage(id));
    const result = await promise;
    clearTimeout(timer);
    this.#pendingReplies.delete(id);
    return result;
  }

  async #onMessage(message: SupervisorMessage, handlers: SupervisorHandlers): Promise<void> {
    this.#isPresent = true;
    switch (message.kind) {
      case 'restart-reply':
      case 'model-reply':
        return this.#pendingReplies.get(message.id)?.(message.result);
      case 'engine-stopped-from-outside':
        return handlers.onEngineStoppedFromOutside(message.engine);
      case 'engines':
        this.#engines = message;
        return handlers.onEngines?.(message);
      default:
        await handlers.onEngineState(message);
        if (message.pause) this.#channel?.send({ kind: 'drained' });
    }
  }
}

type Reply = RestartOutcome | ModelRequestOutcome;

/** Messages to and from the process that started this one. */
export interface ParentChannel {
  send(message: GatewayMessage): void;
  /** Call it at most once. Messages that have arrived before are delivered then. */
  onMessage(listener: (message: SupervisorMessage) => unknown): void;
}

/** Undefined where the parent has opened no channel. It does not keep this process alive, and may close at any time. */
export function createParentChannel(): ParentChannel | undefined {
  if (!process.send) return undefined;
  return {
    send(message) {
      // Ignore errors: when the channel is closed, the parent is gone.
      if (process.connected) process.send?.(message, () => {});
    },
    onMessage(listener) {
      process.on('message', listener);
      process.channel?.unref();
    },
  };
}

/** Without requests for so long, ms, the gateway reports that it is idle: not between two requests of a conversation. */
const IDLE_DELAY = 1000;

/**
 * Returns a function to call with the number of requests in progress, whenever it changes. Reports `busy` at once and
 * `idle` after a delay, so that a busy gateway sends no messages.
 */
export function reportActivity(send: (message: GatewayMessage) => void): (open: number) => void {
  let reported: 'busy' | 'idle' = 'idle';
  let timer: NodeJS.Timeout | undefined;
  return (open) => {
    clearTimeout(timer);
    if (open > 0 && reported === 'idle') {
      reported = 'busy';
      send({ kind: 'busy' });
    }
    if (open > 0) return;
    timer = setTimeout(() => {
      reported = 'idle';
      send({ kind: 'idle', forMs: IDLE_DELAY });
    }, IDLE_DELAY).unref();
  };
}
