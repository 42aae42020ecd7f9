import { randomUUID } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { KeyStore } from '../keys/key-store.ts';
import { renderError } from './api/error-response.ts';
import { apiRoutes } from './api/route-table.ts';
import type { Dashboard } from './dashboard/dashboard.ts';
import {
  handleAsset,
  handleDashboardPage,
  handleEvents,
  handleFavicon,
  handleLandingPage,
  handleLogin,
  handleLogout,
  handleSessionStatus,
  requireSameOrigin,
  requireSession,
} from './dashboard/page-routes.ts';
import { malformedRequest, unknownUrl } from './errors/catalogue.ts';
import type { SupervisorClient } from './ipc/supervisor-client.ts';
import { authorizeMetrics, handleMetrics, type Metrics } from './metrics/metrics.ts';
import { type Authenticator, authenticate } from './middleware/authenticate.ts';
import { cors } from './middleware/cors.ts';
import { handleError } from './middleware/handle-error.ts';
import { type RequestContextOptions, requestContext } from './middleware/request-context.ts';
import {
  limitDailyTokens,
  limitHeaders,
  limitRequestRate,
  reportRates,
} from './middleware/request-limits.ts';
import type { GatewayEnv } from './proxy/gateway-context.ts';
import { proxyApiRoute } from './proxy/handle-api-request.ts';
import type { ProxyServices } from './proxy/proxy-context.ts';
import {
  handleApiDocument,
  handleReferenceAsset,
  handleReferencePage,
} from './reference/reference-routes.ts';
import { cancelRequest, listKeys, listRequests, reloadKeys, restartEngine } from './routes/admin.ts';
import { getModel, listModels } from './routes/models.ts';
import { createProbes } from './routes/probes.ts';
import { rejectOtherMethods, suggestPath } from './routes/unknown-routes.ts';
import type { CapacityGate } from './scheduler/capacity-gate.ts';
import type { UsageLedger } from './usage/usage-ledger.ts';
import { handleUsage } from './usage/usage-report.ts';

export interface AppDependencies extends RequestContextOptions, ProxyServices {
  readonly authenticator: Authenticator;
  /** Undefined where authentication is disabled. */
  readonly keys: KeyStore | undefined;
  readonly ledger: UsageLedger;
  readonly metrics: Metrics;
  readonly gate: CapacityGate;
  readonly supervisor: SupervisorClient;
  readonly dashboard: Dashboard;
}

/** All of the HTTP surface on one page: the middleware in its order, then the table of the routes. */
export function createApp(services: AppDependencies): Hono<GatewayEnv> {
  const { config, authenticator, keys, liveRequests, dashboard } = services;
  const app = new Hono<GatewayEnv>();

  app.use(
    requestContext(services),
    cors(config.corsOrigins, limitHeaders(config.limits)),
    limitHeaders(config.limits),
  );
  app.onError(handleError);
  app.notFound((c) => {
    throw unknownUrl(c.req.method, c.get('record').path, suggestPath(c.req.path));
  });

  const { ping, health, livez, readyz } = createProbes(services);
  app.get('/ping', ping).get('/health', health).get('/livez', livez).get('/readyz', readyz);

  app.get('/openapi.json', handleApiDocument).get('/docs', handleReferencePage);
  app.get('/docs/assets/:name', handleReferenceAsset);
  for (const path of ['/openapi.json', '/docs']) app.all(path, rejectOtherMethods('GET'));

  const { authEnabled } = config.metrics;
  app.get(
    '/metrics',
    authorizeMetrics(authenticator, authEnabled),
    handleMetrics(services.metrics, authEnabled),
  );

  const needsInference = authenticate(authenticator, 'inference');
  const showsRates = reportRates(services.rateLimits);
  for (const path of ['/v1/models', '/models']) {
    app.get(path, needsInference, showsRates, listModels(services));
    // Model names may contain slashes, which most clients do not encode.
    app.get(`${path}/:id{.+}`, needsInference, showsRates, getModel(services));
    app.all(path, rejectOtherMethods('GET')).all(`${path}/:id{.+}`, rejectOtherMethods('GET'));
  }
  const limitRequests = limitRequestRate(services.rateLimits, 'requests');
  const limitCounts = limitRequestRate(services.rateLimits, 'counts');
  const limitTokens = limitDailyTokens(services.ledger);
  for (const route of apiRoutes) {
    const limitRate = route.takesSlot ? limitRequests : limitCounts;
    for (const path of route.paths) {
      app.post(
        path,
        authenticate(authenticator, route.scope),
        limitRate,
        limitTokens,
        proxyApiRoute(route, services),
      );
      app.all(path, rejectOtherMethods('POST'));
    }
  }
  const needsAdmin = authenticate(authenticator, 'admin');
  app.get('/admin/keys', needsAdmin, listKeys(keys, config.auth.keyMaxAgeMs));
  app.get('/admin/requests', needsAdmin, listRequests(liveRequests));
  app.get('/admin/usage', needsAdmin, handleUsage(services.ledger, config.ledger.costPerHour));
  app.delete('/admin/requests/:id{.+}', needsAdmin, cancelRequest(liveRequests));
  app.post('/admin/restart', needsAdmin, restartEngine(services.supervisor, config.timeouts.clientBody));
  app.post('/reload', needsAdmin, reloadKeys(keys));
  for (const path of ['/admin/keys', '/admin/requests', '/admin/usage'])
    app.all(path, rejectOtherMethods('GET'));
  app.all('/admin/requests/:id{.+}', rejectOtherMethods('DELETE')).all('/reload', rejectOtherMethods('POST'));
  app.all('/admin/restart', rejectOtherMethods('POST'));

  const sameOrigin = requireSameOrigin(dashboard);
  const loggedIn = requireSession(dashboard);
  app.get('/', handleLandingPage(dashboard)).get('/dashboard', handleDashboardPage(dashboard));
  app
    .get('/dashboard/assets/:version/:name', handleAsset(dashboard))
    .get('/favicon.ico', handleFavicon(dashboard));
  app.get('/dashboard/session', sameOrigin, handleSessionStatus(dashboard));
  app.post('/dashboard/session', sameOrigin, needsAdmin, handleLogin(dashboard));
  app.delete('/dashboard/session', sameOrigin, handleLogout(dashboard));
  app.get('/dashboard/events', sameOrigin, loggedIn, handleEvents(dashboard));
  app.delete('/dashboard/requests/:id{.+}', sameOrigin, loggedIn, cancelRequest(liveRequests));
  for (const path of ['/', '/dashboard', '/dashboard/events', '/favicon.ico'])
    app.all(path, rejectOtherMethods('GET'));

  for (const path of ['/ping', '/health', '/livez', '/readyz', '/metrics'])
    app.all(path, rejectOtherMethods('GET'));
  return app;
}

/** Passes Node's requests to the app. */
export function createRequestListener(app: Hono<GatewayEnv>): RequestListener {
  const listener = getRequestListener(app.fetch, {
    hostname: 'gateway',
    // Keep Node's global Request and Response: with Hono's, a response that has been sent already is sent again as soon
    // as a middleware touches its headers.
    overrideGlobalObjects: false,
    // Called for requests that do not reach the app, such as one with an invalid Host.
    errorHandler: rejectUnroutable,
  });
  return (incoming, outgoing) => {
    // `OPTIONS *` is about the server as a whole (RFC 9110, section 9.3.7): it has no path that the app could route.
    if (incoming.method === 'OPTIONS' && incoming.url === '*') listMethods(outgoing);
    else listener(incoming, outgoing);
  };
}

function listMethods(outgoing: ServerResponse): void {
  outgoing.writeHead(204, { allow: 'GET, HEAD, POST, DELETE, OPTIONS', 'x-request-id': randomUUID() }).end();
}

function rejectUnroutable(): Response {
  const { status, headers, body } = renderError(malformedRequest(), randomUUID(), undefined);
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return new Response(body.toString(), { status, headers: Object.fromEntries(entries) });
}
