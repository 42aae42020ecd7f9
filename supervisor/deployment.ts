import type { Backend } from '../health/backend.ts';
import type { BackendStatus } from '../health/backend-status.ts';
import type { HealthSnapshot } from '../health/health-response.ts';
import type { BackendProps } from '../health/props.ts';
import packageFile from '../package.json' with { type: 'json' };
import { type BootTimes, startBoot } from './boot.ts';
import type { CrashClass } from './engine/crash-class.ts';
import { crashHint } from './engine/crash-hints.ts';
import { type LoadFailure, superviseEngine } from './engine-process.ts';
import { superviseGateway } from './gateway-process.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import type { ExitHistory, RestartPolicy } from './process/restart-policy.ts';
import { systemStatus } from './system-status.ts';

export interface DeploymentOptions {
  readonly backend: Backend;
  /** Where the gateway listens. */
  readonly host: string;
  readonly port: number;
  readonly loadTimeoutMs: number;
  /** Whether llama-server may be found sleeping. */
  readonly followSleep: () => boolean;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  readonly policy: RestartPolicy;
  readonly startEngine: (serves: () => boolean) => Child;
  readonly startGateway: () => Child;
  readonly onStanding: (standing: BackendStatus) => void;
  /** Once: both children serve, and the first token has come. */
  readonly onReady: (ready: ReadyReport) => void;
  readonly onEngineReady: () => void;
  /** As tend-engine.ts has it. */
  readonly takeBack: (why: LoadFailure, end?: ChildExit) => boolean;
  /** Whether llama-server is being replaced on purpose; call `refresh` when that changes. */
  readonly isReplacing: () => boolean;
  readonly onHung: () => void;
  /** As tend-gateway.ts has them. */
  readonly onGatewaySilent: (isSilent: boolean) => void;
  readonly onGatewayHung: () => void;
  readonly onNoToken: (why: string) => void;
  readonly onStillLoading: (sinceMs: number) => void;
  readonly onEnd: (end: ChildCrash) => void;
  /** llama-server was ended from outside, or to be replaced: no request that was at work has to do with it. */
  readonly onBlamelessEnd: () => void;
  /** `last` is the end that was one too many, where it was one. */
  readonly onFailure: (failure: DeploymentFailure, last?: FatalCrash) => void;
}

export interface ReadyReport {
  /** Undefined where the backend does not tell. */
  readonly props: BackendProps | undefined;
  readonly boot: BootTimes;
}

/** An end of a child that nobody asked for. */
export interface ChildCrash {
  readonly who: 'llama-server' | 'gateway';
  readonly end: ChildExit;
  /** Milliseconds until it is started again; undefined where it is not. */
  readonly restartInMs: number | undefined;
  readonly crash: CrashClass;
  /** It had been ready since it was started. */
  readonly wasReady: boolean;
}

/** The end of a child that is not started again, and those before it. */
export interface FatalCrash extends Pick<ChildCrash, 'who' | 'crash' | 'end'> {
  readonly history: ExitHistory;
}

export type DeploymentFailure = 'engine-failed' | 'gateway-failed' | 'load-timed-out' | 'is-router';

/** The two children, what is known of them, and what the health server may say of it. */
export interface Deployment {
  readonly engine: ManagedProcess;
  readonly gateway: ManagedProcess;
  readonly snapshot: () => HealthSnapshot;
  /** A gateway that is not up yet would die of the signal, and reads the keys anyway. */
  reloadKeys(): void;
  refresh(): void;
  /** So many of llama-server's last ends were the doing of one request. */
  pardonEngine(ends: number): void;
  /** From now on no end of a child is a surprise. */
  beginStopping(): void;
  close(): void;
}

/** Starts both children beside each other, and follows them until closed. */
export function startDeployment(options: DeploymentOptions): Deployment {
  const boot = startBoot();
  let standing: BackendStatus = 'starting';
  let since = Date.now();
  let everReady = false;
  let announced = false;
  let stopping = false;
  let failed = false;
  let lastCrash: LastCrash | undefined;
  const crashes: CrashCounts = { engine: {}, gateway: {} };

  const engine = superviseEngine({
    ...options,
    boot,
    start: options.startEngine,
    onChange: refresh,
    onEnd: (end, state) => learnEnd({ who: 'llama-server', ...end }, state),
    onLoadTimedOut: () => fail('load-timed-out'),
    onRouter: () => fail('is-router'),
  });
  const gateway = superviseGateway({
    ...options,
    boot,
    start: options.startGateway,
    onChange: refresh,
    onEnd: (end, state) => learnEnd({ who: 'gateway', ...end }, state),
  });

  function learnEnd(ended: Omit<ChildCrash, 'restartInMs'>, state: ChildState): void {
    const { who, crash, end } = ended;
    if (who === 'llama-server' && (crash === 'killed' || state.phase === 'replacing'))
      options.onBlamelessEnd();
    if (state.phase !== 'stopped' && state.phase !== 'replacing') {
      const counts = crashes[who === 'gateway' ? 'gateway' : 'engine'];
      counts[crash] = (counts[crash] ?? 0) + 1;
      lastCrash = {
        ...{ who, class: crash, cure: crashHint(who, crash), code: end.code, signal: end.signal },
        at: new Date().toISOString(),
      };
      const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
      options.onEnd({ ...ended, restartInMs });
      if (state.phase === 'given-up')
        fail(who === 'gateway' ? 'gateway-failed' : 'engine-failed', {
          who,
          crash,
          end,
          history: state.history,
        });
    }
    refresh();
  }

  function fail(failure: DeploymentFailure, last?: FatalCrash): void {
    failed = true;
    refresh();
    options.onFailure(failure, last);
  }

  function refresh(): void {
    const next = systemStatus({
      stopping,
      failed,
      replacing: options.isReplacing(),
      enginePhase: engine.tended.state.phase,
      backend: engine.watch.status,
      gatewayUp: gateway.isUp && !gateway.isSilent,
      everReady,
    });
    everReady ||= next === 'ready';
    if (next !== standing) adopt(next);
    if (standing === 'ready' && !announced && boot.times['first token'] !== undefined) {
      announced = true;
      options.onReady({ props: engine.watch.props, boot: boot.times });
    }
  }

  function adopt(next: BackendStatus): void {
    standing = next;
    since = Date.now();
    options.onStanding(standing);
  }

  engine.tended.start();
  gateway.tended.start();
  return {
    engine: engine.tended,
    gateway: gateway.tended,
    pardonEngine: engine.pardon,
    snapshot: () => ({
      status: standing,
      everReady,
      gatewayUnresponsive: gateway.isSilent,
      details: {
        phase: boot.phase,
        since: new Date(since).toISOString(),
        loadTimeMs: boot.times.loaded ?? null,
        boot: boot.times,
        restarts: { engine: engine.tended.restarts, gateway: gateway.tended.restarts },
        crashes,
        lastCrash: lastCrash ?? null,
        gatewayUp: gateway.isUp && !gateway.isSilent,
        sleeping: engine.watch.status === 'ready' && engine.watch.props?.sleeping === true,
        version: packageFile.version,
      },
    }),
    refresh,
    reloadKeys() {
      if (gateway.isUp) gateway.tended.child?.signal('SIGHUP');
    },
    beginStopping() {
      stopping = true;
      refresh();
    },
    close() {
      engine.close();
      gateway.close();
    },
  };
}

/** How many unwanted ends there were. */
type CrashCounts = Record<'engine' | 'gateway', Partial<Record<CrashClass, number>>>;

/** What `/status` says of the last unwanted end: how it was, never what was said. */
interface LastCrash {
  readonly who: ChildCrash['who'];
  readonly class: CrashClass;
  readonly cure: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
}
