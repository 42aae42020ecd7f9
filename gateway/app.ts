import { Hono } from 'hono';
import type { KeyStore } from '../keys/key-store.ts';
import type { Log } from '../log/create-log.ts';
import type { Gate } from './admission/gate.ts';
import { carry } from './carry/carry.ts';
import type { CarryParts } from './carry/sending.ts';
import { fromOurPage, withSession } from './dashboard/admit-watcher.ts';
import { logIn, logOut, showSession } from './dashboard/log-in.ts';
import type { Dashboard } from './dashboard/open-dashboard.ts';
import { showEvents } from './dashboard/show-events.ts';
import { showAsset, showDashboard, showIcon, showLanding } from './dashboard/show-pages.ts';
import { authenticate, type Doorkeeper } from './door/authenticate.ts';
import { cors } from './door/cors.ts';
import type { GatewayEnv } from './door/gateway-context.ts';
import { limitHeaders } from './door/limit-headers.ts';
import { openRecord } from './door/open-record.ts';
import { refuseMethod } from './door/refuse-method.ts';
import { refuseSpentBudget } from './door/refuse-spent-budget.ts';
import { showRefusal } from './door/show-refusal.ts';
import type { UsageLedger } from './ledger/usage-ledger.ts';
import { limitRequests, showRates } from './limits/limit-requests.ts';
import type { Metrics } from './metrics/open-metrics.ts';
import type { Bookkeeper } from './record/bookkeeper.ts';
import { showDocument, showReference, showReferenceAsset } from './reference/show-reference.ts';
import { unknownUrl } from './refusal/catalogue.ts';
import { listKeys, reloadKeys } from './routes/admin-keys.ts';
import { cancelRequest, listRequests } from './routes/admin-requests.ts';
import { restartEngine } from './routes/admin-restart.ts';
import { showUsage } from './routes/admin-usage.ts';
import { apiRoutes } from './routes/api-routes.ts';
import { likelyPath } from './routes/likely-path.ts';
import { listModels, showModel } from './routes/models.ts';
import { probes } from './routes/probes.ts';
import { mayReadMetrics, showMetrics } from './routes/show-metrics.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { Tracing } from './traces/tracing.ts';

export interface AppParts extends CarryParts {
  readonly log: Log;
  readonly doorkeeper: Doorkeeper;
  /** Undefined where authentication is off. */
  readonly keys: KeyStore | undefined;
  readonly ledger: UsageLedger;
  readonly books: Bookkeeper;
  readonly metrics: Metrics;
  readonly gate: Gate;
  readonly supervisor: Supervisor;
  readonly dashboard: Dashboard;
  readonly tracing: Tracing | undefined;
}

/** The whole HTTP surface on one page: the order of the door, then the table of the routes. */
export function createApp(parts: AppParts): Hono<GatewayEnv> {
  const { config, log, doorkeeper, keys, live, dashboard } = parts;
  const app = new Hono<GatewayEnv>();

  app.use(
    openRecord({
      log,
      isTrusted: dashboard.isTrusted,
      books: parts.books,
      metrics: parts.metrics,
      dashboard,
      tracing: parts.tracing,
    }),
    cors(config.corsOrigins, limitHeaders(config.limits)),
    limitHeaders(config.limits),
  );
  app.onError(showRefusal);
  app.notFound((c) => {
    throw unknownUrl(c.req.method, c.req.path, likelyPath(c.req.path));
  });

  const { ping, health, livez, readyz } = probes(parts);
  app.get('/ping', ping).get('/health', health).get('/livez', livez).get('/readyz', readyz);

  app.get('/openapi.json', showDocument).get('/docs', showReference);
  app.get('/docs/assets/:name', showReferenceAsset);
  for (const path of ['/openapi.json', '/docs']) app.all(path, refuseMethod('GET'));

  const { authEnabled } = config.metrics;
  app.get('/metrics', mayReadMetrics(doorkeeper, authEnabled), showMetrics(parts.metrics, authEnabled));

  const mayInfer = authenticate(doorkeeper, 'inference');
  const tellRates = showRates(parts.rateLimits);
  for (const path of ['/v1/models', '/models']) {
    app.get(path, mayInfer, tellRates, listModels(parts));
    // Names may hold slashes, and most clients leave them as they are.
    app.get(`${path}/:id{.+}`, mayInfer, tellRates, showModel(parts));
    app.all(path, refuseMethod('GET')).all(`${path}/:id{.+}`, refuseMethod('GET'));
  }
  const countRequest = limitRequests(parts.rateLimits, 'requests');
  const countCount = limitRequests(parts.rateLimits, 'counts');
  const mayStillSpend = refuseSpentBudget(parts.ledger);
  for (const route of apiRoutes) {
    const limited = route.takesSlot ? countRequest : countCount;
    for (const path of route.paths) {
      app.post(path, authenticate(doorkeeper, route.scope), limited, mayStillSpend, carry(route, parts));
      app.all(path, refuseMethod('POST'));
    }
  }
  const mayAdmin = authenticate(doorkeeper, 'admin');
  app.get('/admin/keys', mayAdmin, listKeys(keys, config.auth.keyMaxAgeMs));
  app.get('/admin/requests', mayAdmin, listRequests(live));
  app.get('/admin/usage', mayAdmin, showUsage(parts.ledger, config.ledger.costPerHour));
  app.delete('/admin/requests/:id{.+}', mayAdmin, cancelRequest(live));
  app.post('/admin/restart', mayAdmin, restartEngine(parts.supervisor, config.timeouts.clientBody));
  app.post('/reload', mayAdmin, reloadKeys(keys));
  for (const path of ['/admin/keys', '/admin/requests', '/admin/usage']) app.all(path, refuseMethod('GET'));
  app.all('/admin/requests/:id{.+}', refuseMethod('DELETE')).all('/reload', refuseMethod('POST'));
  app.all('/admin/restart', refuseMethod('POST'));

  const ours = fromOurPage(dashboard);
  const watching = withSession(dashboard);
  app.get('/', showLanding(dashboard)).get('/dashboard', showDashboard(dashboard));
  app.get('/dashboard/assets/:version/:name', showAsset(dashboard)).get('/favicon.ico', showIcon(dashboard));
  app.get('/dashboard/session', ours, showSession(dashboard));
  app.post('/dashboard/session', ours, mayAdmin, logIn(dashboard));
  app.delete('/dashboard/session', ours, logOut(dashboard));
  app.get('/dashboard/events', ours, watching, showEvents(dashboard));
  app.delete('/dashboard/requests/:id{.+}', ours, watching, cancelRequest(live));
  for (const path of ['/', '/dashboard', '/dashboard/events', '/favicon.ico'])
    app.all(path, refuseMethod('GET'));

  for (const path of ['/ping', '/health', '/livez', '/readyz', '/metrics'])
    app.all(path, refuseMethod('GET'));
  return app;
}
