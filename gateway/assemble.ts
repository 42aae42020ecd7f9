import type { Server } from 'node:http';
import { type BackendWatch, watchBackend } from '../health/watch.ts';
import type { Log } from '../log/create-log.ts';
import { noteUnforeseen } from '../log/unforeseen.ts';
import { Admission } from './admission/admission.ts';
import { openCountingPlaces } from './admission/counting-places.ts';
import { Gate } from './admission/gate.ts';
import { answerRequests } from './answer-requests.ts';
import { createApp } from './app.ts';
import { BodyBudget } from './carry/body-budget.ts';
import { AbandonedInput } from './carry/count-abandoned.ts';
import type { GatewayConfig } from './config.ts';
import type { BoundedConnections } from './connections/bound-connections.ts';
import { openDashboard } from './dashboard/open-dashboard.ts';
import { trustOf } from './door/client-address.ts';
import { FailedLogins } from './door/failed-logins.ts';
import { openKeys } from './door/open-keys.ts';
import { type Gpus, openGpus } from './gpu/open-gpus.ts';
import { RecentWork } from './gpu/recent-work.ts';
import { showGpus } from './gpu/show-gpus.ts';
import { showPrices } from './gpu/show-prices.ts';
import { openLedger } from './ledger/open-ledger.ts';
import type { UsageLedger } from './ledger/usage-ledger.ts';
import { openCounts, type Sharing } from './limits/open-counts.ts';
import { RateLimits } from './limits/rate-limits.ts';
import { openMetrics } from './metrics/open-metrics.ts';
import { showConnections } from './metrics/show-connections.ts';
import { type OpenPort, openPort } from './open-port.ts';
import { ModelNames } from './openai/model-names.ts';
import { ModelSheet } from './openai/model-sheet.ts';
import { PrefillHabits } from './prefill/prefill-habits.ts';
import { Bookkeeper } from './record/bookkeeper.ts';
import { LiveRequests } from './record/live-requests.ts';
import { RouterModels } from './router/router-models.ts';
import type { ParentChannel } from './supervisor/parent-channel.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { openSuspects } from './suspects/open-suspects.ts';
import { openTracing } from './traces/open-tracing.ts';
import { ShuttingDown } from './upstream/failure.ts';
import { openOccupancy } from './upstream/open-occupancy.ts';
import { openPool } from './upstream/pool.ts';

/** How long the clients of broken-off exchanges have to take their last event, ms. */
const TIME_TO_HEAR_IT = 500;

/** What the books may take, ms, to learn the tokens of what was broken off last. */
const TIME_TO_COUNT = 1000;

/** A gateway that runs. */
export interface Gateway {
  /** The port it listens on, for those who asked for port 0. */
  readonly port: number;
  readonly connections: BoundedConnections;
  readonly admission: Admission;
  readonly bodies: BodyBudget;
  readonly countingPlaces: Admission;
  readonly watch: BackendWatch;
  readonly ledger: UsageLedger;
  readonly gpus: Gpus;
  /** What a token takes at present. */
  readonly recentWork: RecentWork;
  /** Whether its limits hold together with other gateways'. */
  readonly sharing: Sharing;
  reloadKeys(): Promise<void>;
  /**
   * Takes nothing new, lets what runs go on until it is done or `DRAIN_TIMEOUT` has passed, and closes. What still runs
   * then is told so. A second call does not wait.
   */
  stop(): Promise<void>;
}

export interface Provided {
  /** Undefined where nobody looks after this gateway. */
  readonly parent?: ParentChannel | undefined;
  /** Where it is open already. */
  readonly openedPort?: OpenPort;
}

/** Puts the parts together, listens and answers. */
export async function startGateway(
  config: GatewayConfig,
  log: Log,
  { parent, openedPort }: Provided = {},
): Promise<Gateway> {
  const supervisor = new Supervisor(parent);
  const countingPlaces = openCountingPlaces(config.admission);
  const admission = new Admission({ ...config.admission, beside: countingPlaces });
  const suspects = openSuspects({
    ...{ ...config.admission, log, supervisor },
    watch: () => watch,
  });
  let mayFindItAsleep = config.sleeps;
  const end = new AbortController();
  const prefillHabits = new PrefillHabits(config.backend, end.signal);
  const watch = watchBackend(config.backend, {
    followSleep: () => mayFindItAsleep,
    onChange: (standing) => {
      log.info({ standing, slots: watch.facts?.slots }, `backend is ${standing}`);
      if (standing === 'ready') suspects.settle();
      else suspects.away();
      followFacts();
    },
    onFactsChange() {
      log.info(
        { slots: watch.facts?.slots, context: watch.facts?.contextPerSlot },
        'what the backend says of itself has changed',
      );
      followFacts();
    },
  });
  const router = new RouterModels(config.backend, {
    onFound: () =>
      log.warn(
        'the backend is a router: its models share the slots of the one that has the fewest (MAX_CONCURRENT_REQUESTS), there are no figures of its engines, and no prompt is counted before it waits',
      ),
    onChange() {
      const { names, slots } = router.served ?? {};
      log.info({ models: names?.join(', '), slots }, 'the router serves these models');
      gate.follow();
    },
  });
  const gate = new Gate({
    ...{ admission, countingPlaces, watch },
    routerSlots: () => router.served?.slots,
    maxConcurrent: config.admission.maxConcurrent,
  });
  function followFacts(): void {
    if (watch.standing === 'ready' && watch.keyRefused)
      log.error('the backend refuses our key: BACKEND_API_KEY is wrong');
    router.follow(watch.standing === 'ready' && watch.isRouter);
    gate.follow();
    prefillHabits.forget();
  }
  const live = new LiveRequests(supervisor.countRequests);
  const doorKeys = config.auth.enabled ? openKeys(config, log, live) : undefined;
  const keys = doorKeys?.store;
  const pool = await openPool(config.backend, config.timeouts.connect);
  const counting = { backend: config.backend, watch, ended: end.signal, suspects };
  const models = new ModelNames({
    ...config.models,
    facts: () => watch.facts,
    routed: () => (watch.isRouter ? (router.served?.names ?? []) : undefined),
  });
  const sheet = new ModelSheet(config.backend, watch);
  const failedLogins = new FailedLogins(config.auth.maxFailedLogins);
  const doorkeeper = { ring: () => keys?.ring, failedLogins };
  const ledger = openLedger(config.ledger, log);
  const abandoned = new AbandonedInput(counting);
  const buckets = await openCounts({ ...config.rates, log });
  const metrics = openMetrics({
    ...{ ...config.metrics, admission, watch, live, buckets, keys, failedLogins, ledger },
    backend: config.backend,
    maxWaiting: config.admission.maxWaiting,
    keyMaxAgeMs: config.auth.keyMaxAgeMs,
    costPerHour: config.ledger.costPerHour,
    dataDir: config.ledger.dataDir,
  });
  const gpus = openGpus(config.gpu, log);
  showGpus(metrics.registry, gpus);
  const takeTally = () => ({ at: performance.now(), joules: gpus.energy.total, ...metrics.workDone });
  const recentWork = new RecentWork(takeTally, config.ledger.costPerHour);
  showPrices(metrics.registry, metrics.keyRegistry, recentWork);
  const books = new Bookkeeper((booking) => {
    ledger.book(booking);
    // Counters never go down: what was estimated too high stays so there.
    if (booking.usage.input >= 0) metrics.book(booking);
  });
  const bodies = new BodyBudget(config.limits.bodies);
  const rateLimits = new RateLimits(config.rates.house, buckets.counts);
  const dashboard = openDashboard({
    ...{ watch, gate, admission, models, live, keys, ledger, gpus, recentWork, ring: doorkeeper.ring },
    isTrusted: trustOf(config.trustedProxies),
    healthUrl: config.metrics.healthUrl,
    maxWaiting: config.admission.maxWaiting,
    ...config.ledger,
  });
  const occupancy = openOccupancy(config.backend, log);
  const cut = new AbortController();
  const tracing = await openTracing(config.traces, log);
  const app = createApp({
    ...{ config, log, pool, admission, countingPlaces, watch, models, live, keys, doorkeeper, counting },
    ...{
      ledger,
      books,
      abandoned,
      rateLimits,
      bodies,
      occupancy,
      metrics,
      gate,
      supervisor,
      dashboard,
      tracing,
      sheet,
    },
    cutOff: cut.signal,
    prefillHabits,
    suspects,
  });
  const { server, port, connections, serve, closeSilent } = openedPort ?? (await openPort(config));
  showConnections(metrics.registry, connections, bodies);
  serve(answerRequests(app));
  log.info(
    { host: config.host, port, keys: keys?.ring.keys.length ?? 'off' },
    `gateway listens on port ${port}`,
  );
  supervisor.follow({
    absolve: () => suspects.absolve(),
    async obey({ hold, names, sleeps, isLost }) {
      models.rename(names);
      mayFindItAsleep = sleeps;
      if (isLost) gate.shut('lost');
      await (hold ? gate.hold() : gate.release());
    },
  });

  let stopping: Promise<void> | undefined;
  /** Breaks off all exchanges and whoever waits for one, which tell their clients, and then what is left of the connections. */
  function cutOff(): void {
    gate.shut('draining');
    cut.abort();
    if (!pool.destroyed) pool.destroy(new ShuttingDown('the gateway shuts down')).catch(noteUnforeseen);
    setTimeout(() => server.closeAllConnections(), TIME_TO_HEAR_IT).unref();
  }
  async function finish(): Promise<void> {
    gate.drain();
    bodies.stop();
    dashboard.close();
    const closed = closeWithin(server, config.timeouts.drain, cutOff);
    closeSilent();
    await closed;
    await books.settled(TIME_TO_COUNT);
    watch.close();
    router.close();
    doorKeys?.[Symbol.dispose]();
    if (!pool.destroyed) await pool.destroy();
    end.abort();
    await books.settled(TIME_TO_HEAR_IT);
    recentWork.close();
    gpus[Symbol.dispose]();
    metrics[Symbol.dispose]();
    buckets[Symbol.dispose]();
    await Promise.all([ledger.close(), tracing?.close()]);
  }
  return {
    port,
    connections,
    admission,
    bodies,
    countingPlaces,
    watch,
    ledger,
    gpus,
    recentWork,
    get sharing() {
      return buckets.sharing;
    },
    async reloadKeys() {
      const result = await keys?.reload();
      if (result?.outcome === 'loaded') log.info({ keys: result.keys }, 'keys read as asked');
      if (result?.outcome === 'kept') log.error(`${result.problem}; the keys read before stay in force`);
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
