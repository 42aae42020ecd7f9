import { isDeepStrictEqual } from 'node:util';
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
} from '../health/supervisor-messages.ts';
import type { Engine } from './engine.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { ServedModel } from './served-model.ts';

export interface GatewayLinkOptions {
  /** Sends to the gateway that runs now. */
  readonly send: (message: SupervisorMessage) => void;
  readonly models: () => readonly ServedModel[];
  /** The engine of the only model; undefined with a registry. */
  readonly only: Engine | undefined;
  readonly idleTimer: IdleTimer;
  readonly requestRestart: (changes: SettingChanges) => RestartOutcome;
  readonly requestAction: (model: string, action: ModelAction) => ModelRequestOutcome;
  readonly onDemand: (demand: DemandMessage) => void;
  readonly onListening: () => void;
}

type State = Pick<EnginesMessage, 'models' | 'engines'>;

/** Exchanges messages with the gateway: see health/supervisor-messages.ts. */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  /** What the gateway has reported last. */
  #aliases: readonly AliasState[] = [];
  #version = 0;
  #state: State = { models: [], engines: [] };
  /** The version that paused an engine, by its id. */
  readonly #pausedSince = new Map<string, number>();

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
  }

  /** What a new gateway receives first. */
  get initialMessages(): readonly SupervisorMessage[] {
    this.#advance();
    return [...this.#engineState(), this.#engines];
  }

  get aliases(): readonly AliasState[] {
    return this.#aliases;
  }

  /** Call it when anything may have changed that the gateway has to know. */
  update(): void {
    if (this.#advance()) this.#options.send(this.#engines);
  }

  /** Sends the state of the only engine. */
  sendEngineState(): void {
    for (const message of this.#engineState()) this.#options.send(message);
  }

  onMessage(message: GatewayMessage): void {
    const { send, only, idleTimer, requestRestart, requestAction, onDemand, onListening } = this.#options;
    switch (message.kind) {
      case 'restart-request':
        send({ kind: 'restart-reply', id: message.id, result: requestRestart(message.changes) });
        break;
      case 'model-request':
        send({
          kind: 'model-reply',
          id: message.id,
          result: requestAction(message.model, message.action),
        });
        break;
      case 'listening':
        onListening();
        break;
      case 'drained':
        only?.drained();
        break;
      case 'engine-drained':
        if (message.version >= (this.#pausedSince.get(message.engine) ?? Number.POSITIVE_INFINITY))
          this.#engine(message.engine)?.drained();
        break;
      case 'crash-cause-found':
        this.#engine(message.engine)?.forgiveExits(message.crashes);
        break;
      case 'demand':
        onDemand(message);
        break;
      case 'aliases':
        this.#aliases = message.aliases;
        break;
      case 'busy':
        idleTimer.start('requests');
        break;
      default:
        idleTimer.end('requests', message.forMs);
    }
  }

  get #engines(): EnginesMessage {
    return { kind: 'engines', version: this.#version, ...this.#state };
  }

  #engineState(): EngineStateMessage[] {
    const { only } = this.#options;
    if (only === undefined) return [];
    const { config, isReplacing, maySleep, failure } = only;
    return [
      {
        kind: 'engine-state',
        pause: isReplacing,
        modelNames: config.settings.MODEL_ALIAS ?? [],
        ...(only.adapters.length > 0 && { adapters: only.adapters }),
        maySleep,
        hasFailed: failure !== undefined,
      },
    ];
  }

  #engine(id: string | undefined): Engine | undefined {
    const engines = this.#options.models().flatMap((model) => model.engines);
    return id === undefined ? this.#options.only : engines.find((engine) => engine.id === id);
  }

  /** False if nothing has changed. */
  #advance(): boolean {
    const models = this.#options.models();
    const state: State = {
      models: models.map((model) => model.state),
      engines: models.flatMap((model) => model.engines.map((engine) => engine.state)),
    };
    if (isDeepStrictEqual(state, this.#state)) return false;
    this.#state = state;
    this.#version += 1;
    const paused = new Set(state.engines.filter(({ pause }) => pause).map(({ id }) => id));
    for (const id of this.#pausedSince.keys()) if (!paused.has(id)) this.#pausedSince.delete(id);
    for (const id of paused) if (!this.#pausedSince.has(id)) this.#pausedSince.set(id, this.#version);
    return true;
  }
}
