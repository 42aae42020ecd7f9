import { Hono } from 'hono';
import type { KeyStore } from '../keys/key-store.ts';
import { apiRoutes } from './api/route-table.ts';
import type { Dashboard } from './dashboard/dashboard.ts';
import { requireSameOrigin, requireSession } from './dashboard/page-guards.ts';
import {
  handleAsset,
  handleDashboardPage,
  handleEvents,
  handleFavicon,
  handleLandingPage,
  handleLogin,
  handleLogout,
  handleSessionStatus,
} from './dashboard/page-routes.ts';
import { unknownUrl } from './errors/catalogue.ts';
import type { SupervisorClient } from './ipc/supervisor-client.ts';
import { authorizeMetrics, handleMetrics, type Metrics } from './metrics/metrics.ts';
import { type Authenticator, authenticate } from './middleware/authenticate.ts';
import { cors } from './middleware/cors.ts';
import { handleError } from './middleware/handle-error.ts';
import { limitHeaders } from './middleware/header-limits.ts';
import { limitDailyTokens, limitRequestRate, reportRates } from './middleware/key-limits.ts';
import { type RequestContextOptions, requestContext } from './middleware/request-context.ts';
import type { GatewayEnv } from './proxy/gateway-context.ts';
import type { ProxyServices } from './proxy/proxy-context.ts';
import {
  handleApiDocument,
  handleReferenceAsset,
  handleReferencePage,
} from './reference/reference-routes.ts';
import { cancelRequest, listKeys, listRequests, reloadKeys, restartEngine } from './routes/admin.ts';
import { proxyApiRoute } from './routes/api-requests.ts';
import { getModel, listModels } from './routes/models.ts';
import { createProbes } from './routes/probes.ts';
import { rejectOtherMethods, suggestPath } from './routes/unknown-routes.ts';
import type { CapacityGate } from './scheduler/capacity-gate.ts';
import type { UsageLedger } from './usage/usage-ledger.ts';
import { handleUsage } from './usage/usage-route.ts';

export interface AppDependencies extends RequestContextOptions, ProxyServices {
  readonly doorkeeper: Authenticator;
  /** Undefined where authentication is off. */
  readonly keys: KeyStore | undefined;
  readonly ledger: UsageLedger;
  readonly metrics: Metrics;
  readonly gate: CapacityGate;
  readonly supervisor: SupervisorClient;
  readonly dashboard: Dashboard;
}

/** The whole HTTP surface on one page: the order of the door, then the table of the routes. */
export function createApp(parts: AppDependencies): Hono<GatewayEnv> {
  const { config, doorkeeper, keys, liveRequests, dashboard } = parts;
  const app = new Hono<GatewayEnv>();

  app.use(
    requestContext(parts),
    cors(config.corsOrigins, limitHeaders(config.limits)),
    limitHeaders(config.limits),
  );
  app.onError(handleError);
  app.notFound((c) => {
    throw unknownUrl(c.req.method, c.req.path, suggestPath(c.req.path));
  });

  const { ping, health, livez, readyz } = createProbes(parts);
  app.get('/ping', ping).get('/health', health).get('/livez', livez).get('/readyz', readyz);

  app.get('/openapi.json', handleApiDocument).get('/docs', handleReferencePage);
  app.get('/docs/assets/:name', handleReferenceAsset);
  for (const path of ['/openapi.json', '/docs']) app.all(path, rejectOtherMethods('GET'));

  const { authEnabled } = config.metrics;
  app.get('/metrics', authorizeMetrics(doorkeeper, authEnabled), handleMetrics(parts.metrics, authEnabled));

  const mayInfer = authenticate(doorkeeper, 'inference');
  const tellRates = reportRates(parts.rateLimits);
  for (const path of ['/v1/models', '/models']) {
    app.get(path, mayInfer, tellRates, listModels(parts));
    // Names may hold slashes, and most clients leave them as they are.
    app.get(`${path}/:id{.+}`, mayInfer, tellRates, getModel(parts));
    app.all(path, rejectOtherMethods('GET')).all(`${path}/:id{.+}`, rejectOtherMethods('GET'));
  }
  const countRequest = limitRequestRate(parts.rateLimits, 'requests');
  const countCount = limitRequestRate(parts.rateLimits, 'counts');
  const mayStillSpend = limitDailyTokens(parts.ledger);
  for (const route of apiRoutes) {
    const limited = route.takesSlot ? countRequest : countCount;
    for (const path of route.paths) {
      app.post(
        path,
        authenticate(doorkeeper, route.scope),
        limited,
        mayStillSpend,
        proxyApiRoute(route, parts),
      );
      app.all(path, rejectOtherMethods('POST'));
    }
  }
  const mayAdmin = authenticate(doorkeeper, 'admin');
  app.get('/admin/keys', mayAdmin, listKeys(keys, config.auth.keyMaxAgeMs));
  app.get('/admin/requests', mayAdmin, listRequests(liveRequests));
  app.get('/admin/usage', mayAdmin, handleUsage(parts.ledger, config.ledger.costPerHour));
  app.delete('/admin/requests/:id{.+}', mayAdmin, cancelRequest(liveRequests));
  app.post('/admin/restart', mayAdmin, restartEngine(parts.supervisor, config.timeouts.clientBody));
  app.post('/reload', mayAdmin, reloadKeys(keys));
  for (const path of ['/admin/keys', '/admin/requests', '/admin/usage'])
    app.all(path, rejectOtherMethods('GET'));
  app.all('/admin/requests/:id{.+}', rejectOtherMethods('DELETE')).all('/reload', rejectOtherMethods('POST'));
  app.all('/admin/restart', rejectOtherMethods('POST'));

  const ours = requireSameOrigin(dashboard);
  const watching = requireSession(dashboard);
  app.get('/', handleLandingPage(dashboard)).get('/dashboard', handleDashboardPage(dashboard));
  app
    .get('/dashboard/assets/:version/:name', handleAsset(dashboard))
    .get('/favicon.ico', handleFavicon(dashboard));
  app.get('/dashboard/session', ours, handleSessionStatus(dashboard));
  app.post('/dashboard/session', ours, mayAdmin, handleLogin(dashboard));
  app.delete('/dashboard/session', ours, handleLogout(dashboard));
  app.get('/dashboard/events', ours, watching, handleEvents(dashboard));
  app.delete('/dashboard/requests/:id{.+}', ours, watching, cancelRequest(liveRequests));
  for (const path of ['/', '/dashboard', '/dashboard/events', '/favicon.ico'])
    app.all(path, rejectOtherMethods('GET'));

  for (const path of ['/ping', '/health', '/livez', '/readyz', '/metrics'])
    app.all(path, rejectOtherMethods('GET'));
  return app;
}
