import { randomUUID } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import type { SupervisorStatus } from '../health/supervisor-status.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
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
import type { CanaryRetry, ModelDirectory } from './engines/model-directory.ts';
import type { EngineOverview } from './engines/models-overview.ts';
import { malformedRequest, unknownUrl } from './errors/catalogue.ts';
import { storeOff } from './errors/store-catalogue.ts';
import { discardBody } from './http/discard-body.ts';
import type { SupervisorClient } from './ipc/supervisor-client.ts';
import { authorizeMetrics, handleMetrics, type Metrics } from './metrics/metrics.ts';
import { authenticate } from './middleware/authenticate.ts';
import { allowOrigins, answerPreflight } from './middleware/cors.ts';
import { guarded } from './middleware/guard.ts';
import { respondWithError } from './middleware/handle-error.ts';
import { type RequestContextOptions, RequestContexts } from './middleware/request-context.ts';
import { limitHeaders, reportRates } from './middleware/request-limits.ts';
import type { PublicNames } from './models/model-names.ts';
import type { GatewayEnv } from './proxy/gateway-context.ts';
import type { RequestContext } from './proxy/request-context.ts';
import {
  handleApiDocument,
  handleReferenceAsset,
  handleReferencePage,
} from './reference/reference-routes.ts';
import { cancelRequest, listKeys, listRequests, reloadKeys, restartEngine } from './routes/admin.ts';
import { promoteAlias, putAlias, rollBackAlias } from './routes/admin-aliases.ts';
import { listModels as listModelStates, requestModelAction } from './routes/admin-models.ts';
import { type ApiServices, handleApiRoute } from './routes/api-route.ts';
import { getModel, listModels } from './routes/models.ts';
import { createProbes } from './routes/probes.ts';
import type { StoreRoutes } from './routes/store/store-routes.ts';
import { rejectOtherMethods, suggestPath } from './routes/unknown-routes.ts';
import type { UsageLedger } from './usage/usage-ledger.ts';
import { handleUsage } from './usage/usage-report.ts';

export interface AppDependencies extends RequestContextOptions, ApiServices {
  /** Undefined where authentication is disabled. */
  readonly keys: KeyStore | undefined;
  readonly ledger: UsageLedger;
  readonly metrics: Metrics;
  /** Undefined with one model. */
  readonly directory: (ModelDirectory & CanaryRetry) | undefined;
  readonly overview: EngineOverview;
  readonly models: PublicNames;
  readonly supervisor: SupervisorClient;
  readonly dashboard: Dashboard;
  readonly getSupervisorStatus: () => Promise<SupervisorStatus | undefined>;
  /** Undefined unless `STORE=on`. */
  readonly storeRoutes: StoreRoutes | undefined;
}

export interface App {
  readonly hono: Hono<GatewayEnv>;
  /** By path, the listeners of the API's routes: their requests do not pass Hono. */
  readonly apiListeners: ReadonlyMap<string, RequestListener>;
}

/** All of the HTTP surface on one page: what comes first for every request, then the table of the routes. */
export function createApp(services: AppDependencies): App {
  const { config, authenticator, keys, liveRequests, dashboard } = services;
  const contexts = new RequestContexts(services);
  const allowOrigin = allowOrigins(config.corsOrigins);
  const checkHeaders = limitHeaders(config.limits);
  const checkFirst = (context: RequestContext) => {
    allowOrigin(context);
    checkHeaders(context);
  };
  const app = new Hono<GatewayEnv>();

  app.use(
    async (c, next) => {
      const context = contexts.create(c.env.incoming, c.env.outgoing, c.req.path);
      c.set('request', context);
      await next();
      context.pattern = routePath(c, -1);
      context.response.copyHeadersToRaw();
      context.handled();
    },
    guarded(checkFirst),
    answerPreflight,
  );
  app.onError((error, c) => {
    respondWithError(c.get('request'), error);
    return RESPONSE_ALREADY_SENT;
  });
  app.notFound((c) => {
    throw unknownUrl(c.req.method, c.get('request').record.path, suggestPath(c.req.path));
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

  const needsInference = guarded(authenticate(authenticator, 'inference'));
  const showsRates = guarded(reportRates(services.rateLimits));
  for (const path of ['/v1/models', '/models']) {
    app.get(path, needsInference, showsRates, listModels(services));
    // Model names may contain slashes, which most clients do not encode.
    app.get(`${path}/:id{.+}`, needsInference, showsRates, getModel(services));
    app.all(path, rejectOtherMethods('GET')).all(`${path}/:id{.+}`, rejectOtherMethods('GET'));
  }
  const needsBatch = guarded(authenticate(authenticator, 'batch'));
  const stored = (name: keyof StoreRoutes) => services.storeRoutes?.[name] ?? rejectWithoutStore;
  for (const base of ['/v1', '']) {
    const [files, batches] = [`${base}/files`, `${base}/batches`];
    app.post(files, needsBatch, stored('uploadFile')).get(files, needsBatch, stored('listFiles'));
    app.get(`${files}/:id`, needsBatch, stored('getFile'));
    app.delete(`${files}/:id`, needsBatch, stored('deleteFile'));
    app.get(`${files}/:id/content`, needsBatch, stored('getFileContent'));
    app
      .all(files, rejectOtherMethods('GET', 'POST'))
      .all(`${files}/:id`, rejectOtherMethods('GET', 'DELETE'));
    app.all(`${files}/:id/content`, rejectOtherMethods('GET'));
    app.post(batches, needsBatch, stored('createBatch')).get(batches, needsBatch, stored('listBatches'));
    app.get(`${batches}/:id`, needsBatch, stored('getBatch'));
    app.post(`${batches}/:id/cancel`, needsBatch, stored('cancelBatch'));
    app.all(batches, rejectOtherMethods('GET', 'POST')).all(`${batches}/:id`, rejectOtherMethods('GET'));
    app.all(`${batches}/:id/cancel`, rejectOtherMethods('POST'));
  }
  const messageBatches = '/v1/messages/batches';
  app.post(messageBatches, needsBatch, stored('createMessageBatch'));
  app.get(messageBatches, needsBatch, stored('listMessageBatches'));
  app.get(`${messageBatches}/:id`, needsBatch, stored('getMessageBatch'));
  app.delete(`${messageBatches}/:id`, needsBatch, stored('deleteMessageBatch'));
  app.post(`${messageBatches}/:id/cancel`, needsBatch, stored('cancelMessageBatch'));
  app.get(`${messageBatches}/:id/results`, needsBatch, stored('getMessageResults'));
  app.all(messageBatches, rejectOtherMethods('GET', 'POST'));
  app.all(`${messageBatches}/:id`, rejectOtherMethods('GET', 'DELETE'));
  app.all(`${messageBatches}/:id/cancel`, rejectOtherMethods('POST'));
  app.all(`${messageBatches}/:id/results`, rejectOtherMethods('GET'));

  const apiListeners = new Map<string, RequestListener>();
  for (const route of apiRoutes) {
    const handle = handleApiRoute(route, services);
    const handleDirectly = handleApiRoute(route, services, checkFirst);
    for (const path of route.paths) {
      apiListeners.set(path, (incoming, outgoing) => {
        const context = contexts.create(incoming, outgoing, path);
        context.pattern = path;
        handleDirectly(context)
          .then(() => {
            discardBody(incoming);
            context.handled();
          })
          .catch(recordUnhandledError);
      });
      // For a request with a query, or a path that is encoded.
      app.post(path, async (c) => {
        await handle(c.get('request'));
        return RESPONSE_ALREADY_SENT;
      });
      app.all(path, rejectOtherMethods('POST'));
    }
  }
  const needsAdmin = guarded(authenticate(authenticator, 'admin'));
  app.get('/admin/keys', needsAdmin, listKeys(keys, config.auth.keyMaxAgeMs));
  app.get('/admin/requests', needsAdmin, listRequests(liveRequests));
  app.get('/admin/usage', needsAdmin, handleUsage(services.ledger, config.ledger.costPerHour));
  app.delete('/admin/requests/:id{.+}', needsAdmin, cancelRequest(liveRequests));
  app.post('/admin/restart', needsAdmin, restartEngine(services.supervisor, config.timeouts.clientBody));
  const ofModels = { ...services, registry: config.registry, idleTimeout: config.timeouts.clientBody };
  app.get('/admin/models', needsAdmin, listModelStates(ofModels));
  // Ids of models and names of aliases may contain slashes.
  for (const action of ['load', 'unload', 'restart'] as const) {
    const path = `/admin/models/:id{.+}/${action}`;
    app.post(path, needsAdmin, requestModelAction(services.supervisor, action));
    app.all(path, rejectOtherMethods('POST'));
  }
  // PUT takes every name, also one such as team/promote. For the other methods, Hono prefers a parameter at the end to one
  // that is followed by more.
  const alias = '/admin/aliases/:name{(?!.*/(?:promote|rollback)$).+}';
  app.put('/admin/aliases/:name{.+}', needsAdmin, putAlias(ofModels)).all(alias, rejectOtherMethods('PUT'));
  app.post('/admin/aliases/:name{.+}/promote', needsAdmin, promoteAlias(ofModels));
  app.post('/admin/aliases/:name{.+}/rollback', needsAdmin, rollBackAlias(ofModels));
  for (const change of ['promote', 'rollback'])
    app.all(`/admin/aliases/:name{.+}/${change}`, rejectOtherMethods('POST'));
  app.post('/reload', needsAdmin, reloadKeys(keys));
  for (const path of ['/admin/keys', '/admin/models', '/admin/requests', '/admin/usage'])
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
  for (const action of ['load', 'unload'] as const) {
    const act = requestModelAction(services.supervisor, action);
    app.post(`/dashboard/models/:id{.+}/${action}`, sameOrigin, loggedIn, act);
  }
  app.post('/dashboard/aliases/:name{.+}/promote', sameOrigin, loggedIn, promoteAlias(ofModels));
  app.post('/dashboard/aliases/:name{.+}/rollback', sameOrigin, loggedIn, rollBackAlias(ofModels));
  for (const path of ['/', '/dashboard', '/dashboard/events', '/favicon.ico'])
    app.all(path, rejectOtherMethods('GET'));

  for (const path of ['/ping', '/health', '/livez', '/readyz', '/metrics'])
    app.all(path, rejectOtherMethods('GET'));
  return { hono: app, apiListeners };
}

/**
 * Passes Node's requests on: those of the API's routes straight to their handlers, as Hono's router, request and response
 * would cost as much as the rest of such a request (docs/performance.md), all others to Hono.
 */
export function createRequestListener({ hono, apiListeners }: App): RequestListener {
  const honoListener = getRequestListener(hono.fetch, {
    hostname: 'gateway',
    // Keep Node's global Request and Response: with Hono's, a response that has been sent already is sent again as soon
    // as a middleware touches its headers.
    overrideGlobalObjects: false,
    // Called for requests that do not reach the app, such as one with an invalid Host.
    errorHandler: rejectUnroutable,
  });
  return (incoming, outgoing) => {
    const { method, url = '' } = incoming;
    const direct = method === 'POST' ? apiListeners.get(url) : undefined;
    if (direct !== undefined) direct(incoming, outgoing);
    // `OPTIONS *` is about the server as a whole (RFC 9110, section 9.3.7): it has no path that the app could route.
    else if (method === 'OPTIONS' && url === '*') listMethods(outgoing);
    else honoListener(incoming, outgoing);
  };
}

function rejectWithoutStore(): never {
  throw storeOff();
}

function listMethods(outgoing: ServerResponse): void {
  outgoing
    .writeHead(204, { allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS', 'x-request-id': randomUUID() })
    .end();
}

function rejectUnroutable(): Response {
  const { status, headers, body } = renderError(malformedRequest(), randomUUID(), undefined);
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return new Response(body.toString(), { status, headers: Object.fromEntries(entries) });
}
