import type { HealthSnapshot } from '../health/answers.ts';
import type { Backend } from '../health/backend.ts';
import type { Standing } from '../health/standing.ts';
import { type BackendWatch, watchBackend } from '../health/watch.ts';
import packageFile from '../package.json' with { type: 'json' };
import { awaitGateway } from './await-gateway.ts';
import { type Boot, beginBoot } from './boot.ts';
import type { Child, ChildEnd } from './child.ts';
import type { ChildState } from './child-state.ts';
import { type CrashClass, classifyCrash, isHopeless } from './crash-class.ts';
import { houseStanding } from './house-standing.ts';
import { enginePolicy, gatewayPolicy } from './restart-policy.ts';
import { type Tended, tend } from './tend.ts';

export interface HouseOptions {
  readonly backend: Backend;
  readonly host: string;
  readonly port: number;
  readonly loadTimeoutMs: number;
  readonly startEngine: () => Child;
  readonly startGateway: () => Child;
  readonly onStanding: (standing: Standing, previous: Standing) => void;
  readonly onEnd: (end: HouseEnd) => void;
  readonly onFailure: (failure: HouseFailure) => void;
}

/** An end of a child that nobody asked for. */
export interface HouseEnd {
  readonly who: 'llama-server' | 'gateway';
  readonly end: ChildEnd;
  /** Milliseconds until it is started again; undefined where it is not. */
  readonly restartInMs: number | undefined;
  readonly crash: CrashClass;
}

export type HouseFailure = 'engine-failed' | 'gateway-failed' | 'load-timed-out';

/** The two children, what is known of them, and what the health server may say of it. */
export interface House {
  readonly engine: Tended;
  readonly gateway: Tended;
  readonly watch: BackendWatch;
  readonly boot: Boot;
  readonly standing: Standing;
  readonly snapshot: () => HealthSnapshot;
  /** From now on no end of a child is a surprise. */
  beginStopping(): void;
  close(): void;
}

/** Starts both children beside each other, and follows them until closed. */
export function openHouse(options: HouseOptions): House {
  const boot = beginBoot();
  let standing: Standing = 'starting';
  let since = Date.now();
  let everReady = false;
  let gatewayUp = false;
  let stopping = false;
  let failed = false;
  let lastCrash: Readonly<Record<string, unknown>> | undefined;
  let loadDeadline: NodeJS.Timeout | undefined;
  let gatewayLife = new AbortController();

  const watch = watchBackend(options.backend, {
    onChange(backend) {
      if (backend === 'loading' || backend === 'ready') boot.reached('bound');
      if (backend === 'ready') {
        boot.reached('loaded');
        clearTimeout(loadDeadline);
      }
      refresh();
    },
  });
  const engine = tend({
    start: options.startEngine,
    policy: enginePolicy,
    isHopeless: (end) => !everReady && isHopeless(classifyCrash(end)),
    onStarted() {
      boot.reached('process up');
      clearTimeout(loadDeadline);
      loadDeadline = setTimeout(() => fail('load-timed-out'), options.loadTimeoutMs);
      watch.nudge();
    },
    onEnded(end, state) {
      clearTimeout(loadDeadline);
      watch.nudge();
      learnEnd('llama-server', end, state);
    },
  });
  const gateway = tend({
    start: options.startGateway,
    policy: gatewayPolicy,
    onStarted() {
      gatewayLife = new AbortController();
      void awaitGateway(options.host, options.port, gatewayLife.signal).then((up) => {
        if (!up) return;
        gatewayUp = true;
        boot.reached('gateway up');
        refresh();
      });
    },
    onEnded(end, state) {
      gatewayLife.abort();
      gatewayUp = false;
      learnEnd('gateway', end, state);
    },
  });

  function learnEnd(who: HouseEnd['who'], end: ChildEnd, state: ChildState): void {
    if (!stopping) {
      const crash = classifyCrash(end);
      lastCrash = { who, class: crash, code: end.code, signal: end.signal, at: new Date().toISOString() };
      const restartInMs = state.phase === 'waiting' ? state.until - Date.now() : undefined;
      options.onEnd({ who, end, crash, restartInMs });
      if (state.phase === 'given-up') fail(who === 'gateway' ? 'gateway-failed' : 'engine-failed');
    }
    refresh();
  }

  function fail(failure: HouseFailure): void {
    failed = true;
    refresh();
    options.onFailure(failure);
  }

  function refresh(): void {
    const next = houseStanding({
      stopping,
      failed,
      engine: engine.state.phase,
      backend: watch.standing,
      gatewayUp,
      everReady,
    });
    everReady ||= next === 'ready';
    if (next === standing) return;
    const previous = standing;
    standing = next;
    since = Date.now();
    options.onStanding(standing, previous);
  }

  const loadTimeMs = () => (typeof boot.times.loaded === 'number' ? boot.times.loaded : null);
  const snapshot = (): HealthSnapshot => ({
    standing,
    everReady,
    details: {
      phase: boot.phase,
      since: new Date(since).toISOString(),
      loadTimeMs: loadTimeMs(),
      restarts: { engine: engine.restarts, gateway: gateway.restarts },
      lastCrash: lastCrash ?? null,
      gatewayUp,
      version: packageFile.version,
    },
  });

  engine.start();
  gateway.start();
  return {
    engine,
    gateway,
    watch,
    boot,
    snapshot,
    get standing() {
      return standing;
    },
    beginStopping() {
      stopping = true;
      clearTimeout(loadDeadline);
      refresh();
    },
    close() {
      watch.close();
      gatewayLife.abort();
      clearTimeout(loadDeadline);
    },
  };
}
