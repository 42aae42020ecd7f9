import type { BackendStatus } from '../health/backend.ts';
import type { BackendProps } from '../health/props.ts';
import type { BootTimes } from './boot.ts';
import type { CrashClass } from './engine/crash-class.ts';
import type { ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ExitHistory } from './process/restart-policy.ts';

/** The events of a deployment, for logs, records and reports. These are the only lists of them. */
export interface SupervisorEvents extends CrashEvents {
  statusChanged(status: BackendStatus): void;
  /** Once: everything serves, and the engine has generated its first token. */
  ready(report: ReadyReport): void;
  /** The gateway has not responded for some seconds, or responds again. */
  gatewayResponsivenessChanged(isUnresponsive: boolean): void;
  /** The gateway does not respond and is being killed. */
  gatewayHung(): void;
  queueWorkerCrashed(exit: ChildExit): void;
  /** `isFinal`: it will not be restarted. */
  runnerCrashed(exit: ChildExit, isFinal: boolean): void;
  /** The deployment cannot continue; `message` says why and what helps. */
  failed(message: string): void;
  /** The events of one engine; `engine` is its id where there are several. */
  forEngine(engine?: string): EngineEvents;
}

/** The events of one engine. */
export interface EngineEvents extends CrashEvents {
  /** From time to time while the model loads. */
  stillLoading(elapsedMs: number): void;
  /** The engine is ready but generates nothing. */
  firstTokenFailed(reason: string): void;
  /** The engine makes no progress and is being aborted. */
  engineHung(): void;
}

interface CrashEvents {
  crashed(crash: ChildCrash): void;
}

/** What a child reports to its owner. */
export interface ChildOwner {
  /** Something that affects the status has changed. */
  changed(): void;
  exited(exit: ClassifiedExit, state: ChildState): void;
}

export interface ReadyReport {
  /** Undefined if the backend does not report them. */
  readonly props: BackendProps | undefined;
  readonly boot: BootTimes;
}

/** An exit of a child, expected or not. */
export interface ClassifiedExit {
  readonly who: 'llama-server' | 'gateway';
  readonly exit: ChildExit;
  readonly crash: CrashClass;
  /** It had been ready since its start. */
  readonly wasReady: boolean;
  /** The id of the model; only with several models. */
  readonly model?: string | undefined;
}

/** An unexpected exit of a child. */
export interface ChildCrash extends ClassifiedExit {
  /** Milliseconds until the restart; undefined if it is not restarted. */
  readonly restartInMs: number | undefined;
}

/** The crash after which a child is not restarted, with those before it. */
export interface FatalCrash extends Pick<ChildCrash, 'who' | 'crash' | 'exit'> {
  readonly history: ExitHistory;
}

export type LoadFailure = CrashClass | 'load-timed-out' | 'is-router';

/** Why an engine is given up. */
export type EngineFailure = 'engine-failed' | 'load-timed-out' | 'is-router';

export type DeploymentFailure = EngineFailure | 'gateway-failed';

/** Why the deployment ends. */
export interface Outcome {
  readonly reason: 'requested' | 'idle' | 'internal-error' | 'queue-worker-failed' | DeploymentFailure;
  /** For failures: what happened and what helps. */
  readonly message?: string;
}
