/**
 * The messages between supervisor and gateway, over the IPC channel between a Node process and its child. Neither needs
 * them to serve: a gateway without a supervisor receives none, and a message lost with a process is made up for by the
 * engine state that each new gateway receives first.
 */
export type GatewayMessage =
  /** An administrator requests a restart of the engine with these changes. */
  | { readonly kind: 'restart-request'; readonly id: number; readonly changes: SettingChanges }
  /** The gateway is paused and has no requests at the engine any more. */
  | { readonly kind: 'drained' }
  /** This many crashes of the engine were caused by a single request, which is not sent again. */
  | { readonly kind: 'crash-cause-found'; readonly crashes: number }
  /** Requests are running or queued. */
  | { readonly kind: 'busy' }
  /** There have been no requests for this long. */
  | { readonly kind: 'idle'; readonly forMs: number };

export type SupervisorMessage =
  | EngineStateMessage
  | RestartReply
  /** The engine was stopped from outside or on purpose: no running request caused it. */
  | { readonly kind: 'engine-stopped-from-outside' };

/** The complete state of the engine: the first message to each gateway, sent again after each change. */
export interface EngineStateMessage {
  readonly kind: 'engine-state';
  /** Send nothing new to the engine: it is about to be replaced. */
  readonly pause: boolean;
  /** The public names of the model. */
  readonly modelNames: readonly string[];
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
