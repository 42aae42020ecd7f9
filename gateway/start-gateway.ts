import type { Server } from 'node:http';
import { type BackendMonitor, monitorBackend } from '../health/backend-monitor.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { logRequest } from './access-log.ts';
import { createApp } from './app.ts';
import type { GatewayConfig } from './config.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import { type Gpus, watchGpus } from './gpu/gpus.ts';
import { RecentTokenCost } from './gpu/token-cost.ts';
import { createProxyMatcher } from './http/forwarded.ts';
import type { ParentChannel } from './ipc/supervisor-client.ts';
import { SupervisorClient } from './ipc/supervisor-client.ts';
import { createSupervisorStatusReader } from './ipc/supervisor-status.ts';
import { createRateCounters, type Sharing } from './limits/rate-counters.ts';
import { RateLimits } from './limits/rate-limits.ts';
import { registerConnectionMetrics } from './metrics/component-metrics.ts';
import { registerGpuMetrics, registerTokenCostMetrics } from './metrics/gpu-metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import { FailedLogins } from './middleware/failed-logins.ts';
import { createGatewayKeys } from './middleware/gateway-keys.ts';
import { ModelMetaCache } from './models/model-meta-cache.ts';
import { ModelNames } from './models/model-names.ts';
import { RouterModels } from './models/router-models.ts';
import { BodyBudget } from './proxy/body-budget.ts';
import { AbandonedInputCounter } from './proxy/count-tokens.ts';
import { LiveRequests } from './proxy/live-requests.ts';
import { RequestEvents } from './proxy/request-events.ts';
import { PrefillProbe } from './resume/prefill-probe.ts';
import { CapacityGate } from './scheduler/capacity-gate.ts';
import { createQuarantine } from './scheduler/quarantine.ts';
import { createCountingScheduler, Scheduler } from './scheduler/scheduler.ts';
import type { ConnectionLimiter } from './server/connection-limiter.ts';
import { type ListeningServer, startListening } from './server/listen.ts';
import { createRequestListener } from './server/request-listener.ts';
import { createBackendPool } from './upstream/backend-pool.ts';
import { ShuttingDown } from './upstream/failure.ts';
import { createSlotTracker } from './upstream/slot-tracker.ts';
import { createUsageLedger, type UsageLedger } from './usage/usage-ledger.ts';
import { createUsageRecorder } from './usage/usage-recorder.ts';

/** How long the clients of broken-off exchanges have to take their last event, ms. */
const TIME_TO_HEAR_IT = 500;

/** How long the observers may take, ms, to learn the tokens of the exchanges that were broken off last. */
const TIME_TO_COUNT = 1000;

/** A gateway that runs. */
export interface Gateway {
  /** The port it listens on, for those who asked for port 0. */
  readonly port: number;
  readonly connections: ConnectionLimiter;
  readonly scheduler: Scheduler;
  readonly bodies: BodyBudget;
  readonly countingScheduler: Scheduler;
  readonly watch: BackendMonitor;
  readonly ledger: UsageLedger;
  readonly gpus: Gpus;
  /** What a token takes at present. */
  readonly recentWork: RecentTokenCost;
  /** Whether its limits hold together with other gateways'. */
  readonly sharing: Sharing;
  reloadKeys(): Promise<void>;
  /**
   * Takes nothing new, lets what runs go on until it is done or `DRAIN_TIMEOUT` has passed, and closes. What still runs
   * then is told so. A second call does not wait.
   */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Undefined where nobody looks after this gateway. */
  readonly parent?: ParentChannel | undefined;
  /** Where it is open already. */
  readonly openedPort?: ListeningServer;
}

/** Puts the parts together, listens and answers. */
export async function startGateway(
  config: GatewayConfig,
  log: Log,
  { parent, openedPort }: StartOptions = {},
): Promise<Gateway> {
  const supervisor = new SupervisorClient(parent);
  const countingScheduler = createCountingScheduler(config.admission);
  const scheduler = new Scheduler({ ...config.admission, beside: countingScheduler });
  const quarantine = createQuarantine({
    ...{ ...config.admission, log, supervisor },
    monitor: () => watch,
  });
  let mayFindItAsleep = config.sleeps;
  const end = new AbortController();
  const prefillHabits = new PrefillProbe(config.backend, end.signal);
  const watch = monitorBackend(config.backend, {
    followSleep: () => mayFindItAsleep,
    onChange: (standing) => {
      log.info({ standing, slots: watch.props?.slots }, `backend is ${standing}`);
      if (standing === 'ready') quarantine.onBackendUp();
      else quarantine.onBackendDown();
      followFacts();
    },
    onPropsChange() {
      log.info(
        { slots: watch.props?.slots, context: watch.props?.contextPerSlot },
        'what the backend says of itself has changed',
      );
      followFacts();
    },
  });
  const router = new RouterModels(config.backend, {
    onDetected: () =>
      log.warn(
        'the backend is a router: its models share the slots of the one that has the fewest (MAX_CONCURRENT_REQUESTS), there are no figures of its engines, and no prompt is counted before it waits',
      ),
    onChange() {
      const { names, slots } = router.served ?? {};
      log.info({ models: names?.join(', '), slots }, 'the router serves these models');
      gate.updateCapacity();
    },
  });
  const gate = new CapacityGate({
    ...{ scheduler, countingScheduler, monitor: watch },
    routerSlots: () => router.served?.slots,
    maxConcurrent: config.admission.maxConcurrent,
  });
  function followFacts(): void {
    if (watch.status === 'ready' && watch.keyRejected)
      log.error('the backend refuses our key: BACKEND_API_KEY is wrong');
    router.setIsRouter(watch.status === 'ready' && watch.isRouter);
    gate.updateCapacity();
    prefillHabits.clear();
  }
  const live = new LiveRequests(supervisor.reportRequestCount);
  const doorKeys = config.auth.enabled ? createGatewayKeys(config, log, live) : undefined;
  const keys = doorKeys?.store;
  const pool = await createBackendPool(config.backend, config.timeouts.connect);
  const counting = { backend: config.backend, monitor: watch, ended: end.signal, quarantine };
  const models = new ModelNames({
    ...config.models,
    props: () => watch.props,
    routerModels: () => (watch.isRouter ? (router.served?.names ?? []) : undefined),
  });
  const sheet = new ModelMetaCache(config.backend, watch);
  const failedLogins = new FailedLogins(config.auth.maxFailedLogins);
  const doorkeeper = { ring: () => keys?.ring, failedLogins };
  const ledger = createUsageLedger(config.ledger, log);
  const abandoned = new AbandonedInputCounter(counting);
  const buckets = await createRateCounters({ ...config.rates, log });
  const readSupervisorStatus = createSupervisorStatusReader(config.metrics.healthUrl);
  const metrics = createMetrics({
    ...{ ...config.metrics, scheduler, keys, failedLogins, ledger, readSupervisorStatus },
    backendMonitor: watch,
    liveRequests: live,
    rateCounters: buckets,
    backend: config.backend,
    maxWaiting: config.admission.maxWaiting,
    keyMaxAgeMs: config.auth.keyMaxAgeMs,
    costPerHour: config.ledger.costPerHour,
    dataDir: config.ledger.dataDir,
  });
  const gpus = watchGpus(config.gpu, log);
  registerGpuMetrics(metrics.registry, gpus);
  const takeTally = () => ({ at: performance.now(), joules: gpus.energy.total, ...metrics.workDone });
  const recentWork = new RecentTokenCost(takeTally, config.ledger.costPerHour);
  registerTokenCostMetrics(metrics.registry, metrics.keyRegistry, recentWork);
  const bodies = new BodyBudget(config.limits.bodies);
  const rateLimits = new RateLimits(config.rates.defaults, buckets.store);
  const isTrusted = createProxyMatcher(config.trustedProxies);
  const dashboard = createDashboard({
    ...{ gate, scheduler, models, keys, ledger, gpus, isTrusted, readSupervisorStatus },
    backendMonitor: watch,
    liveRequests: live,
    tokenCost: recentWork,
    getKeyRing: doorkeeper.ring,
    maxWaiting: config.admission.maxWaiting,
    ...config.ledger,
  });
  const occupancy = createSlotTracker(config.backend, log);
  const cut = new AbortController();
  const tracing =
    config.traces && (await (await import('./tracing/tracing.ts')).createTracing(config.traces, log));
  const requestEvents = new RequestEvents([
    ({ record, end }) => record.trace?.end(end),
    ({ record, end }) => logRequest(log, record, end),
    metrics.onRequestFinished,
    dashboard.onRequestFinished,
    createUsageRecorder((entry) => {
      ledger.record(entry);
      // Counters never decrease: an estimate that was too high stays in them.
      if (entry.usage.input >= 0) metrics.recordUsage(entry);
    }),
  ]);
  const app = createApp({
    ...{
      config,
      pool,
      scheduler,
      countingScheduler,
      monitor: watch,
      models,
      liveRequests: live,
      keys,
      doorkeeper,
      counting,
    },
    ...{
      ledger,
      isTrusted,
      requestEvents,
      startTrace: tracing?.startTrace,
      abandonedInput: abandoned,
      rateLimits,
      bodyBudget: bodies,
      slotTracker: occupancy,
      metrics,
      gate,
      supervisor,
      dashboard,
      modelMeta: sheet,
    },
    shutdown: cut.signal,
    prefillProbe: prefillHabits,
    quarantine,
  });
  const { server, port, connections, serve, closeUnused } = openedPort ?? (await startListening(config));
  registerConnectionMetrics(metrics.registry, connections, bodies);
  serve(createRequestListener(app));
  log.info(
    { host: config.host, port, keys: keys?.ring.keys.length ?? 'off' },
    `gateway listens on port ${port}`,
  );
  supervisor.subscribe({
    onEngineStoppedFromOutside: () => quarantine.excuseCrash(),
    async onEngineState({ pause, modelNames, maySleep, hasFailed }) {
      models.setNames(modelNames);
      mayFindItAsleep = maySleep;
      if (hasFailed) gate.close('lost');
      await (pause ? gate.pause() : gate.resume());
    },
  });

  let stopping: Promise<void> | undefined;
  /** Breaks off all exchanges and whoever waits for one, which tell their clients, and then what is left of the connections. */
  function cutOff(): void {
    gate.close('draining');
    cut.abort();
    if (!pool.destroyed) pool.destroy(new ShuttingDown('the gateway shuts down')).catch(recordUnhandledError);
    setTimeout(() => server.closeAllConnections(), TIME_TO_HEAR_IT).unref();
  }
  async function finish(): Promise<void> {
    gate.drain();
    bodies.stop();
    dashboard.close();
    const closed = closeWithin(server, config.timeouts.drain, cutOff);
    closeUnused();
    await closed;
    await requestEvents.idle(TIME_TO_COUNT);
    watch.close();
    router.close();
    doorKeys?.[Symbol.dispose]();
    if (!pool.destroyed) await pool.destroy();
    end.abort();
    await requestEvents.idle(TIME_TO_HEAR_IT);
    recentWork.close();
    gpus[Symbol.dispose]();
    metrics[Symbol.dispose]();
    buckets[Symbol.dispose]();
    await Promise.all([ledger.close(), tracing?.close()]);
  }
  return {
    port,
    connections,
    scheduler,
    bodies,
    countingScheduler,
    watch,
    ledger,
    gpus,
    recentWork,
    get sharing() {
      return buckets.sharing;
    },
    async reloadKeys() {
      const result = await keys?.reload();
      if (result?.outcome === 'loaded') log.info({ keys: result.keys }, 'API keys reloaded on SIGHUP');
      if (result?.outcome === 'kept') log.error(`${result.problem}; the keys loaded before remain valid`);
    },
    stop() {
      if (stopping) cutOff();
      stopping ??= finish();
      return stopping;
    },
  };
}

async function closeWithin(server: Server, ms: number, cutOff: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const deadline = setTimeout(cutOff, ms);
  await promise;
  clearInterval(idle);
  clearTimeout(deadline);
}
