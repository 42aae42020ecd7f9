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
  handleChatPage,
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
import { countRequests, limitHeaders, reportRates } from './middleware/request-limits.ts';
import type { PublicNames } from './models/model-names.ts';
import type { GatewayContext, GatewayEnv } from './proxy/gateway-context.ts';
import type { RequestContext } from './proxy/request-context.ts';
import {
  handleApiDocument,
  handleReferenceAsset,
  handleReferencePage,
} from './reference/reference-routes.ts';
import { cancelRequest, listKeys, listRequests, reloadKeys, restartEngine } from './routes/admin.ts';
import { listModels as listModelStates, requestModelAction } from './routes/admin-models.ts';
import { type ApiServices, handleApiRoute } from './routes/api-route.ts';
import { getModel, listModels } from './routes/models.ts';
import { createProbes } from './routes/probes.ts';
import { type HandlersByMethod, serveMethods } from './routes/serve-methods.ts';
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
  const serve = (path: string, handlers: HandlersByMethod) => serveMethods(app, path, handlers);

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
  serve('/ping', { GET: [ping] });
  serve('/health', { GET: [health] });
  serve('/livez', { GET: [livez] });
  serve('/readyz', { GET: [readyz] });

  serve('/openapi.json', { GET: [handleApiDocument] });
  serve('/docs', { GET: [handleReferencePage] });
  app.get('/docs/assets/:name', handleReferenceAsset);

  const { authEnabled } = config.metrics;
  serve('/metrics', {
    GET: [authorizeMetrics(authenticator, authEnabled), handleMetrics(services.metrics, authEnabled)],
  });

  const needsInference = guarded(authenticate(authenticator, 'inference'));
  const showsRates = guarded(reportRates(services.rateLimits));
  for (const path of ['/v1/models', '/models']) {
    serve(path, { GET: [needsInference, showsRates, listModels(services)] });
    // Model names may contain slashes, which most clients do not encode.
    serve(`${path}/:id{.+}`, { GET: [needsInference, showsRates, getModel(services)] });
  }
  const needsBatch = guarded(authenticate(authenticator, 'batch'));
  const counts = guarded(countRequests(services.rateLimits));
  const stored = (name: keyof StoreRoutes) => services.storeRoutes?.[name] ?? rejectWithoutStore;
  for (const base of ['/v1', '']) {
    const [files, batches] = [`${base}/files`, `${base}/batches`];
    serve(files, {
      GET: [needsBatch, stored('listFiles')],
      POST: [needsBatch, counts, stored('uploadFile')],
    });
    serve(`${files}/:id`, {
      GET: [needsBatch, stored('getFile')],
      DELETE: [needsBatch, stored('deleteFile')],
    });
    serve(`${files}/:id/content`, { GET: [needsBatch, stored('getFileContent')] });
    serve(batches, {
      GET: [needsBatch, stored('listBatches')],
      POST: [needsBatch, counts, stored('createBatch')],
    });
    serve(`${batches}/:id`, { GET: [needsBatch, stored('getBatch')] });
    serve(`${batches}/:id/cancel`, { POST: [needsBatch, stored('cancelBatch')] });
  }
  const messageBatches = '/v1/messages/batches';
  serve(messageBatches, {
    GET: [needsBatch, stored('listMessageBatches')],
    POST: [needsBatch, counts, stored('createMessageBatch')],
  });
  serve(`${messageBatches}/:id`, {
    GET: [needsBatch, stored('getMessageBatch')],
    DELETE: [needsBatch, stored('deleteMessageBatch')],
  });
  serve(`${messageBatches}/:id/cancel`, { POST: [needsBatch, stored('cancelMessageBatch')] });
  serve(`${messageBatches}/:id/results`, { GET: [needsBatch, stored('getMessageResults')] });

  const apiListeners = new Map<string, RequestListener>();
  for (const route of apiRoutes) {
    const handle = handleApiRoute(route, services);
    const handleDirectly = handleApiRoute(route, services, checkFirst);
    for (const path of route.paths) {
      apiListeners.set(path, (incoming, outgoing) => {
        const context = contexts.create(incoming, outgoing, path);
        context.pattern = path;
        handleDirectly(context)
          .catch((error) => respondWithError(context, error))
          .then(() => {
            discardBody(incoming);
            context.handled();
          })
          .catch((error) => {
            recordUnhandledError(error);
            // Its client would wait for ever.
            outgoing.destroy();
          });
      });
      // For a request with a query, or a path that is encoded.
      serve(path, {
        POST: [
          async (c) => {
            await handle(c.get('request'));
            return RESPONSE_ALREADY_SENT;
          },
        ],
      });
    }
  }
  // Behind /v1/responses/input_tokens, which is no response.
  for (const base of ['/v1', '']) {
    const [response, conversations] = [`${base}/responses/:id`, `${base}/conversations`];
    serve(`${response}/input_items`, { GET: [needsInference, stored('listInputItems')] });
    serve(`${response}/cancel`, { POST: [needsInference, stored('cancelResponse')] });
    serve(response, {
      GET: [needsInference, stored('getResponse')],
      DELETE: [needsInference, stored('deleteResponse')],
    });
    const [conversation, items] = [`${conversations}/:id`, `${conversations}/:id/items`];
    serve(conversations, { POST: [needsInference, counts, stored('createConversation')] });
    serve(conversation, {
      GET: [needsInference, stored('getConversation')],
      POST: [needsInference, stored('updateConversation')],
      DELETE: [needsInference, stored('deleteConversation')],
    });
    serve(items, {
      GET: [needsInference, stored('listConversationItems')],
      POST: [needsInference, stored('addConversationItems')],
    });
    serve(`${items}/:item`, {
      GET: [needsInference, stored('getConversationItem')],
      DELETE: [needsInference, stored('deleteConversationItem')],
    });
  }
  const needsAdmin = guarded(authenticate(authenticator, 'admin'));
  const { clientBody: idleTimeout } = config.timeouts;
  const { keyMaxAgeMs } = config.auth;
  serve('/admin/keys', { GET: [needsAdmin, listKeys(keys, keyMaxAgeMs, authenticator.tokens?.identities)] });
  serve('/admin/requests', { GET: [needsAdmin, listRequests(liveRequests)] });
  serve('/admin/usage', { GET: [needsAdmin, handleUsage(services.ledger, config.ledger.costPerHour)] });
  serve('/admin/requests/:id{.+}', { DELETE: [needsAdmin, cancelRequest(liveRequests)] });
  serve('/admin/restart', { POST: [needsAdmin, restartEngine(services.supervisor, idleTimeout)] });
  const ofModels = { ...services, registry: config.registry, idleTimeout };
  serve('/admin/models', { GET: [needsAdmin, listModelStates(ofModels)] });
  // Ids of models and names of aliases may contain slashes.
  for (const action of ['load', 'unload', 'restart'] as const)
    serve(`/admin/models/:id{.+}/${action}`, {
      POST: [needsAdmin, requestModelAction(services.supervisor, action)],
    });
  /** Loaded with its first request: it comes with what checks files of models, which takes 5 MB. */
  const aliasRoute = (change: 'putAlias' | 'promoteAlias' | 'rollBackAlias') => async (c: GatewayContext) =>
    (await import('./routes/admin-aliases.ts'))[change](ofModels)(c);
  // PUT takes every name, also one such as team/promote. For the other methods, Hono prefers a parameter at the end to one
  // that is followed by more.
  const alias = '/admin/aliases/:name{(?!.*/(?:promote|rollback)$).+}';
  app
    .put('/admin/aliases/:name{.+}', needsAdmin, aliasRoute('putAlias'))
    .all(alias, rejectOtherMethods('PUT'));
  serve('/admin/aliases/:name{.+}/promote', { POST: [needsAdmin, aliasRoute('promoteAlias')] });
  serve('/admin/aliases/:name{.+}/rollback', { POST: [needsAdmin, aliasRoute('rollBackAlias')] });
  serve('/reload', { POST: [needsAdmin, reloadKeys(keys)] });

  const sameOrigin = requireSameOrigin(dashboard);
  const loggedIn = requireSession(dashboard);
  serve('/', { GET: [handleLandingPage(dashboard)] });
  serve('/dashboard', { GET: [handleDashboardPage(dashboard)] });
  serve('/favicon.ico', { GET: [handleFavicon(dashboard)] });
  if (dashboard.hasChat) serve('/chat', { GET: [handleChatPage(dashboard)] });
  serve('/dashboard/events', { GET: [sameOrigin, loggedIn, handleEvents(dashboard)] });
  app.get('/dashboard/assets/:version/:name{.+}', handleAsset(dashboard));
  app.get('/dashboard/session', sameOrigin, handleSessionStatus(dashboard));
  app.post('/dashboard/session', sameOrigin, needsAdmin, handleLogin(dashboard));
  app.delete('/dashboard/session', sameOrigin, handleLogout(dashboard));
  app.delete('/dashboard/requests/:id{.+}', sameOrigin, loggedIn, cancelRequest(liveRequests));
  for (const action of ['load', 'unload'] as const) {
    const act = requestModelAction(services.supervisor, action);
    app.post(`/dashboard/models/:id{.+}/${action}`, sameOrigin, loggedIn, act);
  }
  app.post('/dashboard/aliases/:name{.+}/promote', sameOrigin, loggedIn, aliasRoute('promoteAlias'));
  app.post('/dashboard/aliases/:name{.+}/rollback', sameOrigin, loggedIn, aliasRoute('rollBackAlias'));
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
