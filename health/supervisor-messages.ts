/**
 * What supervisor and gateway tell each other over the channel between a Node process and its child. Neither depends on
 * it to serve: a gateway without a supervisor hears nothing, and a message that is lost with a process is made good by
 * the orders that every new gateway is given.
 */
export type GatewayMessage =
  /** An administrator wants the engine started again, with these variables changed. */
  | { readonly kind: 'restart-wanted'; readonly id: number; readonly changes: SettingChanges }
  /** Nothing is at the engine any more, and nothing new goes there, as was ordered. */
  | { readonly kind: 'holding' }
  /** So many ends of the engine were the doing of one request, which it is not given any more. */
  | { readonly kind: 'culprit'; readonly deaths: number }
  /** Somebody is being served or waits. */
  | { readonly kind: 'busy' }
  /** Nobody has been for so long, in milliseconds. */
  | { readonly kind: 'idle'; readonly forMs: number };

export type SupervisorMessage =
  | EngineStateMessage
  | RestartReply
  /** The engine was ended from outside, or on purpose: no request that was at work has to do with it. */
  | { readonly kind: 'engine-ended-blamelessly' };

/** How the gateway is to behave from now on. The first thing that it hears, and again whenever it changes. */
export interface EngineStateMessage {
  readonly kind: 'orders';
  /** Let nothing new go to the engine: it is about to be replaced. */
  readonly pause: boolean;
  /** The public names of the model. */
  readonly modelNames: readonly string[];
  /** The engine may be found sleeping. */
  readonly maySleep: boolean;
  /** The engine will not be started again: nobody has anything to wait for. */
  readonly hasFailed: boolean;
}

export interface RestartReply {
  readonly kind: 'restart-answer';
  /** That of the question. */
  readonly id: number;
  readonly result: RestartOutcome;
}

export type RestartOutcome =
  | { readonly outcome: 'accepted' }
  /** The mistakes, each with its cure. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }
  | { readonly outcome: 'under-way' | 'stopping' };

/** Variables by their own names, as the environment would give them; an empty text unsets one. */
export type SettingChanges = Readonly<Record<string, string>>;
