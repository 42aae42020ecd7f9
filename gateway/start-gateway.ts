import type { Server } from 'node:http';
import type { BackendMonitor } from '../health/backend-monitor.ts';
import { readSupervisorStatus } from '../health/supervisor-status.ts';
import type { Key } from '../keys/key.ts';
import type { Log } from '../log/create-log.ts';
import { logRequest } from './access-log.ts';
import { createApp, createRequestListener } from './app.ts';
import type { GatewayConfig } from './config.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import type { EngineServices } from './engines/engine-services.ts';
import type { EngineOverview } from './engines/models-overview.ts';
import { reportModels } from './engines/models-report.ts';
import { type Gpus, monitorGpus } from './gpu/gpus.ts';
import { RecentTokenCost } from './gpu/token-cost.ts';
import { cacheFor } from './http/cache-for.ts';
import { createProxyMatcher } from './http/client-address.ts';
import { type ParentChannel, SupervisorClient } from './ipc/supervisor-client.ts';
import { createRateCounters, type Sharing } from './limits/rate-counters.ts';
import { RateLimits } from './limits/rate-limits.ts';
import { registerConnectionMetrics } from './metrics/component-metrics.ts';
import { registerGpuMetrics, registerTokenCostMetrics } from './metrics/gpu-metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import { registerOidcMetrics } from './metrics/oidc-metrics.ts';
import { registerResponseCacheMetrics } from './metrics/response-cache-metrics.ts';
import { RunnerLogin } from './middleware/act-for-key.ts';
import { FailedLogins } from './middleware/authenticate.ts';
import { createGatewayKeys } from './middleware/gateway-keys.ts';
import { BodyBudget } from './proxy/body-budget.ts';
import { LiveRequests } from './proxy/live-requests.ts';
import { RequestEvents } from './proxy/request-record.ts';
import type { Scheduler } from './scheduler/scheduler.ts';
import { type ServedModels, type ServeOptions, serveOneModel } from './served-models.ts';
import type { ConnectionLimiter } from './server/connection-limiter.ts';
import { type ListeningServer, startListening } from './server/listen.ts';
import { createUsageLedger, type UsageLedger } from './usage/usage-ledger.ts';
import { createUsageRecorder } from './usage/usage-recorder.ts';

/** How long the clients of aborted exchanges have to receive their last event, ms. */
const LAST_EVENT_TIMEOUT = 500;

/** How long a shutdown waits for the token counts of the exchanges that were aborted last, ms. */
const COUNT_TIMEOUT = 1000;

/** The supervisor's status is read at most once per second. */
const STATUS_MAX_AGE = 1000;
const STATUS_TIMEOUT = 500;

/** A running gateway. */
export interface Gateway {
  /** The actual port, also where port 0 was configured. */
  readonly port: number;
  readonly connections: ConnectionLimiter;
  readonly bodyBudget: BodyBudget;
  readonly overview: EngineOverview;
  /** These three belong to the only engine. */
  readonly scheduler: Scheduler;
  readonly countingScheduler: Scheduler;
  readonly monitor: BackendMonitor;
  readonly ledger: UsageLedger;
  readonly gpus: Gpus;
  /** The energy and money that a token costs at present. */
  readonly tokenCost: RecentTokenCost;
  /** Whether its rate limits are shared with other gateways. */
  readonly sharing: Sharing;
  reloadKeys(): Promise<void>;
  /**
   * Rejects new requests, waits for running ones, at most `DRAIN_TIMEOUT`, and closes. Requests that still run then end
   * with an error. A second call does not wait.
   */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Undefined without a supervisor. */
  readonly parent?: ParentChannel | undefined;
  /** Set where the port is open already. */
  readonly listening?: ListeningServer;
}

/** The composition root: creates all components, connects them, and serves requests. Rejects with a StoreError. */
export async function startGateway(
  config: GatewayConfig,
  log: Log,
  { parent, listening }: StartOptions = {},
): Promise<Gateway> {
  const store =
    config.store && new (await import('./routes/store/gateway-store.ts')).GatewayStore(config.store, log);
  const supervisor = new SupervisorClient(parent);
  const stopped = new AbortController();
  const { warmPrompts } = config;
  const warmUp =
    warmPrompts === undefined
      ? undefined
      : new (await import('./warm-up/warm-up.ts')).WarmUp(config, warmPrompts, log);
  const served = await serveModels({ config, supervisor, log, stopped: stopped.signal, warmUp });
  const { overview, names: models, only, directory } = served;
  const { monitor, scheduler, gate } = overview;
  const liveRequests = new LiveRequests(supervisor.reportRequestCount);
  const updateKey = (key: Key) => scheduler.updateKey(key);
  const gatewayKeys = config.auth.enabled
    ? await createGatewayKeys(config, log, liveRequests, updateKey)
    : undefined;
  const keys = gatewayKeys?.store;
  const failedLogins = new FailedLogins(config.auth.maxFailedLogins);
  const { runnerKey } = config.auth;
  const runner = runnerKey === undefined ? undefined : new RunnerLogin(runnerKey);
  const { oidc } = config.auth;
  const tokens = oidc && new (await import('./oidc/token-sign-in.ts')).TokenSignIn(oidc, log, updateKey);
  const isTrusted = createProxyMatcher(config.trustedProxies);
  const authenticator = { ring: () => keys?.ring, failedLogins, runner, tokens, isTrusted };
  const ledger = createUsageLedger(config.ledger, log);
  const rateCounters = await createRateCounters({ ...config.rates, log });
  const responseCache =
    config.responseCache &&
    (await (
      await import('./response-cache/response-cache.ts')
    ).createResponseCache(config.responseCache, config.rates, log));
  const { healthUrl } = config.metrics;
  const getSupervisorStatus = cacheFor(STATUS_MAX_AGE, async () =>
    healthUrl === undefined ? undefined : readSupervisorStatus(healthUrl, STATUS_TIMEOUT),
  );
  const metrics = createMetrics({
    ...config.metrics,
    ...{ scheduler, keys, failedLogins, ledger, getSupervisorStatus, directory, liveRequests, rateCounters },
    backendMonitor: monitor,
    backend: config.backend,
    readStore: store && (() => store.observe((opened) => opened.statistics())),
    maxWaiting: config.admission.maxWaiting,
    keyMaxAgeMs: config.auth.keyMaxAgeMs,
    costPerHour: config.ledger.costPerHour,
    dataDir: config.ledger.dataDir,
  });
  const gpus = monitorGpus(config.gpu, log);
  registerGpuMetrics(metrics.registry, gpus);
  registerOidcMetrics(metrics.registry, tokens);
  const countCacheResult = registerResponseCacheMetrics(metrics.registry, responseCache);
  const readTotals = () => ({ at: performance.now(), joules: gpus.energy.total, ...metrics.workDone });
  const tokenCost = new RecentTokenCost(readTotals, config.ledger.costPerHour, directory !== undefined);
  registerTokenCostMetrics(metrics.registry, metrics.keyRegistry, tokenCost);
  const bodyBudget = new BodyBudget(config.limits.bodies);
  const rateLimits = new RateLimits(config.rates.defaults, rateCounters.store);
  const dashboard = createDashboard({
    ...{ gate, scheduler, models, keys, ledger, gpus, isTrusted, getSupervisorStatus },
    backendMonitor: monitor,
    liveRequests,
    tokenCost,
    reportModels: async () =>
      directory && reportModels({ ...served, supervisor, registry: config.registry, getSupervisorStatus }),
    readBatches:
      store &&
      (() => store.observe((opened) => ({ statistics: opened.statistics(), open: opened.batches.open() }))),
    getKeyRing: authenticator.ring,
    identities: tokens?.identities,
    hasChat: config.hasChat,
    maxWaiting: config.admission.maxWaiting,
    ...config.ledger,
    port: config.port,
  });
  const shutdown = new AbortController();
  const tracing =
    config.traces && (await (await import('./tracing/tracing.ts')).createTracing(config.traces, log));
  const requestEvents = new RequestEvents([
    ({ record, end }) => record.trace?.end(end),
    ({ record, end }) => logRequest(log, record, end),
    metrics.onRequestFinished,
    countCacheResult,
    dashboard.onRequestFinished,
    createUsageRecorder((entry) => {
      ledger.record(entry);
      // Counters never decrease: an estimate that was too high remains in them.
      if (entry.usage.input >= 0) metrics.recordUsage(entry);
    }, directory !== undefined),
  ]);
  const app = createApp({
    config,
    responseCache,
    responseStates: store?.createResponseStates(config, bodyBudget.shutdown),
    storeRoutes: store?.createRoutes({ config, liveRequests, bodyBudget, isTrusted }),
    overview,
    directory,
    models,
    routing: served.routing,
    liveRequests,
    keys,
    authenticator,
    isTrusted,
    requestEvents,
    startTrace: tracing?.startTrace,
    ledger,
    rateLimits,
    bodyBudget,
    supervisor,
    metrics,
    dashboard,
    getSupervisorStatus,
    shutdown: shutdown.signal,
  });
  const { server, port, connections, serve, closeUnused } = listening ?? (await startListening(config));
  registerConnectionMetrics(metrics.registry, connections, bodyBudget);
  serve(createRequestListener(app));
  supervisor.reportListening();
  log.info(
    { host: config.host, port, keys: keys?.ring.keys.length ?? 'off' },
    `gateway listens on port ${port}`,
  );
  served.follow();

  let stopping: Promise<void> | undefined;
  /** Aborts all running and queued requests, whose clients get an error, and then closes the remaining connections. */
  function abortAll(): void {
    served.abort();
    shutdown.abort();
    setTimeout(() => server.closeAllConnections(), LAST_EVENT_TIMEOUT).unref();
  }
  async function shutDown(): Promise<void> {
    warmUp?.[Symbol.dispose]();
    served.drain();
    bodyBudget.stop();
    const dashboardClosed = dashboard.close();
    const closed = closeWithin(server, config.timeouts.drain, abortAll);
    closeUnused();
    await closed;
    await requestEvents.idle(COUNT_TIMEOUT);
    gatewayKeys?.[Symbol.dispose]();
    served.close();
    stopped.abort();
    await requestEvents.idle(LAST_EVENT_TIMEOUT);
    tokenCost.close();
    gpus[Symbol.dispose]();
    metrics[Symbol.dispose]();
    rateCounters[Symbol.dispose]();
    responseCache?.[Symbol.dispose]();
    store?.[Symbol.dispose]();
    await Promise.all([ledger.close(), tracing?.close(), tokens?.close(), dashboardClosed]);
  }
  return {
    port,
    connections,
    overview,
    bodyBudget,
    get scheduler() {
      return requireOnly(only).scheduler;
    },
    get countingScheduler() {
      return requireOnly(only).countingScheduler;
    },
    get monitor() {
      return requireOnly(only).monitor;
    },
    ledger,
    gpus,
    tokenCost,
    get sharing() {
      return rateCounters.sharing;
    },
    async reloadKeys() {
      const result = await keys?.reload();
      if (result?.outcome === 'loaded') log.info({ keys: result.keys }, 'API keys reloaded on SIGHUP');
      if (result?.outcome === 'kept') log.error(`${result.problem}; the keys loaded before remain valid`);
    },
    stop() {
      if (stopping) abortAll();
      stopping ??= shutDown();
      return stopping;
    },
  };
}

async function serveModels(options: ServeOptions): Promise<ServedModels> {
  const { registry, backend } = options.config;
  // With what checks files of models, which takes 5 MB.
  if (registry !== undefined)
    return (await import('./several-models.ts')).serveSeveralModels(options, registry);
  if (backend === undefined) throw new Error('neither a backend nor a file of models is configured');
  return serveOneModel(options, backend);
}

function requireOnly(engine: EngineServices | undefined): EngineServices {
  if (engine === undefined) throw new Error('several models are served');
  return engine;
}

async function closeWithin(server: Server, ms: number, abortAll: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const deadline = setTimeout(abortAll, ms);
  await promise;
  clearInterval(idle);
  clearTimeout(deadline);
}
