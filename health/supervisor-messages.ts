import type { FileMeta } from '../models/file-meta.ts';
import type { BackendAddress, BackendStatus } from './backend.ts';

/**
 * The messages between supervisor and gateway, over the IPC channel between a Node process and its child. Neither needs
 * them to serve: a gateway without a supervisor receives none, and a message lost with a process is made up for by the
 * engine state that each new gateway receives first.
 */
export type GatewayMessage =
  /** An administrator requests a restart of the engine with these changes. */
  | { readonly kind: 'restart-request'; readonly id: number; readonly changes: SettingChanges }
  /** It has its port: what responds there is this gateway, and no other program. */
  | { readonly kind: 'listening' }
  /** The gateway is paused and has no requests at the engine any more. */
  | { readonly kind: 'drained' }
  /** This many crashes of the engine were caused by a single request, which is not sent again. */
  | { readonly kind: 'crash-cause-found'; readonly crashes: number; readonly engine?: string }
  /** Requests are running or queued. */
  | { readonly kind: 'busy' }
  /** There have been no requests for this long. */
  | { readonly kind: 'idle'; readonly forMs: number }
  | AliasesMessage
  | DemandMessage
  | EngineDrainedMessage
  | ModelRequest;

export type SupervisorMessage =
  | EngineStateMessage
  | EnginesMessage
  | RestartReply
  | ModelReply
  /** The engine was stopped from outside or on purpose: no running request caused it. */
  | { readonly kind: 'engine-stopped-from-outside'; readonly engine?: string };

/** What the runner of batches reports at its start, and when it changes. */
export interface RunnerMessage {
  /** A batch has not ended. */
  readonly hasJobs: boolean;
}

/** The complete state of the only engine: the first message to each gateway, sent again after each change. */
export interface EngineStateMessage {
  readonly kind: 'engine-state';
  /** Send nothing new to the engine: it is about to be replaced. */
  readonly pause: boolean;
  /** The public names of the model. */
  readonly modelNames: readonly string[];
  /** The names of its adapters; undefined for none. */
  readonly adapters?: readonly string[];
  /** The engine may be found sleeping. */
  readonly maySleep: boolean;
  /** The engine will not be restarted: waiting is pointless. */
  readonly hasFailed: boolean;
}

export interface RestartReply {
  readonly kind: 'restart-reply';
  /** The id of the request. */
  readonly id: number;
  readonly result: RestartOutcome;
}

export type RestartOutcome =
  | { readonly outcome: 'accepted' }
  /** Every problem with the changes, each with a hint. */
  | { readonly outcome: 'rejected'; readonly problems: readonly string[] }
  | { readonly outcome: 'in-progress' | 'stopping' };

/** Variables by name, as in the environment; an empty string unsets one. */
export type SettingChanges = Readonly<Record<string, string>>;

/** The state of a model, as `GET /v1/models` shows it. A model with several engines is loaded when one of them is. */
export type ModelStatus = 'unloaded' | 'loading' | 'loaded' | 'sleeping' | 'failed';

/** The complete state of all models and engines: sent to each new gateway, and again after each change. */
export interface EnginesMessage {
  readonly kind: 'engines';
  /** Grows with each change. */
  readonly version: number;
  readonly models: readonly ModelState[];
  readonly engines: readonly EngineState[];
}

export interface ModelState {
  /** The id in `models.json`. */
  readonly id: string;
  readonly status: ModelStatus;
  /** How much is loaded, 0 to 1; null if nothing is being loaded, or the engine does not report it. */
  readonly loadProgress: number | null;
  /** Why it failed: a crash class, `load-timed-out`, `is-router` or `does-not-fit`; null if it has not. */
  readonly failure: string | null;
  /** It never leaves the memory. */
  readonly pin: boolean;
  /** It is no longer in `models.json`, and is stopped once its requests have ended. */
  readonly removed: boolean;
  /** What its file says of it; undefined if that is unknown. */
  readonly meta?: FileMeta;
}

/** One engine of a model. Id, address and key stay the same as long as the supervisor lives. */
export interface EngineState {
  readonly id: string;
  readonly model: string;
  readonly address: BackendAddress;
  readonly apiKey: string;
  /** `unloaded`: no process. Else what the supervisor's probes say. The gateway sends nothing before that is `ready`. */
  readonly status: BackendStatus | 'unloaded';
  /** Null if unknown. */
  readonly slots: number | null;
  readonly loadProgress: number | null;
  /** Send nothing new to it, and report with `engine-drained` when it has no requests any more. */
  readonly pause: boolean;
  /** It may be found sleeping. */
  readonly maySleep: boolean;
  /** What identifies the answers of its process: program, model and options; null while there is none. */
  readonly identity?: string | null;
  /** The names of the adapters it is started with, in their order; undefined for none. */
  readonly adapters?: readonly string[];
}

/** The complete demand, sent when it changes, at most every half second. A model without an entry has none. */
export interface DemandMessage {
  readonly kind: 'demand';
  /** By model id. */
  readonly models: Readonly<Record<string, ModelDemand>>;
  /** Leases by engine id: requests that the engine has not finished. */
  readonly leases: Readonly<Record<string, number>>;
}

export interface ModelDemand {
  /** Requests in line for the model. */
  readonly waiting: number;
  /** For how long the oldest of them has waited; 0 if there is none. */
  readonly oldestWaitMs: number;
  /** How many of its leases are those of lines of batches; absent if no line runs or waits. */
  readonly lineLeases?: number;
}

/** The complete state of all aliases, sent when it changes. */
export interface AliasesMessage {
  readonly kind: 'aliases';
  readonly aliases: readonly AliasState[];
}

export interface AliasState {
  readonly name: string;
  readonly targets: readonly AliasTargetState[];
}

export interface AliasTargetState {
  /** The id of a model. */
  readonly model: string;
  /** As in `models.json`. */
  readonly weight: number;
  /** 0 for a canary that was taken out. */
  readonly effectiveWeight: number;
  /** Why it was taken out. */
  readonly suspended: 'failed' | 'crashed' | null;
}

/** The engine is paused in the state of this version, and no request is at it any more. */
export interface EngineDrainedMessage {
  readonly kind: 'engine-drained';
  readonly engine: string;
  readonly version: number;
}

export type ModelAction = 'load' | 'unload' | 'restart';

/** An administrator requests this for a model. */
export interface ModelRequest {
  readonly kind: 'model-request';
  readonly id: number;
  readonly model: string;
  readonly action: ModelAction;
}

export interface ModelReply {
  readonly kind: 'model-reply';
  /** The id of the request. */
  readonly id: number;
  readonly result: ModelRequestOutcome;
}

export type ModelRequestOutcome =
  /** It begins as soon as there is room and nothing is cut off by it. */
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'unknown-model' }
  /** Why it cannot be done, with a hint. */
  | { readonly outcome: 'rejected'; readonly problem: string }
  | { readonly outcome: 'in-progress' | 'stopping' };
