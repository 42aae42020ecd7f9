import type { ModelRename } from '../api/model-name-rewriter.ts';
import { getEchoedFields } from '../api/responses/echoed-fields.ts';
import { type ApiRoute, toChatRoute } from '../api/route-table.ts';
import type { RequestedModel } from '../engines/requested-model.ts';
import { countingLeaseRequest } from '../scheduler/counting-scheduler.ts';
import { batchLaneForKey, laneForKey } from '../scheduler/lane.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import { reportBatchSlots } from './attempt.ts';
import { type BodyAllocation, bodyOwner } from './body-budget.ts';
import { CachedRequest } from './cached-request.ts';
import { checkDimensions } from './check-dimensions.ts';
import { createClientFormat, createKeepAlive } from './client-format.ts';
import { finish } from './finish.ts';
import type { RoutedRequest } from './model-routing.ts';
import {
  addressRequest,
  checkAdapterRoute,
  checkContentType,
  parseRequest,
  rejectIfBlocked,
} from './parse-request.ts';
import { fitPrompt, mayExceedContext } from './prompt-length.ts';
import type { ProxyContext, ProxyServices } from './proxy-context.ts';
import { proxyParts } from './proxy-parts.ts';
import { proxyRequest } from './proxy-request.ts';
import { readBody } from './read-body.ts';
import type { RequestContext } from './request-context.ts';
import type { StatefulRequest } from './response-states.ts';
import { isModelLost } from './result-errors.ts';
import { planSplit, type UsableSlots } from './split-plan.ts';

/**
 * The way of an API request that has passed authentication and limits: read, parse, check, wait for a lease, exchange with the
 * backend, finish. Rejects with the ApiError of a request whose response has not begun. Where nothing has to be waited
 * for, all of it up to the exchange is one synchronous pass (docs/performance.md).
 */
export async function handleApiRequest(
  matched: ApiRoute,
  services: ProxyServices,
  client: RequestContext,
): Promise<void> {
  const { record, isBatch } = client;
  checkContentType(matched, client.incoming);
  const allocation = services.bodyBudget.open(bodyOwner(client));
  const listed = services.liveRequests.add(client);
  let reservation: Disposable | undefined;
  let state: StatefulRequest | undefined;
  let context: ProxyContext | undefined;
  /** Since when it has waited, if that began at another model. */
  let since: number | undefined;
  // Not `using`: its stacks would be a large part of what a request keeps in memory while it waits.
  try {
    // Node's parser reports a body after the head that came with it: one turn of the microtask queue later it is there.
    await undefined;
    const reading = startReading(services, client, allocation);
    const received = reading instanceof Promise ? await reading : reading;
    state = services.responseStates?.begin(matched, client, received);
    const body = state?.body ?? received;
    if (body.length > received.length) takeHistory(allocation, body.length - received.length);
    const routing = services.routing.route(matched, client, body, state?.fields);
    let routed = routing instanceof Promise ? await routing : routing;
    for (;;) {
      try {
        context = openContext(matched, services, client, { body, state, routed }, context);
        const cached = openCached(matched, context, client, routed.body ?? body);
        if (cached !== undefined && (await cached.serve(context.engine, services.rateLimits, allocation))) {
          if (isBatch) reportBatchSlots(context);
          return;
        }
        const { createInBackground } = state ?? {};
        const checking = checkAtEngine(context, client, createInBackground === undefined);
        if (checking !== undefined) await checking;
        if (createInBackground !== undefined) {
          await createInBackground(record.model ?? '', context.request.echoed ?? getEchoedFields({}));
          return;
        }
        const counts = context.route.takesSlot && !isBatch && reservation === undefined;
        const reserving = counts ? reserveTokens(context, client) : undefined;
        reservation ??= reserving instanceof Promise ? await reserving : reserving;
        const newcomer = context.route.takesSlot
          ? slotLease(context, client)
          : countingLease(context, client);
        const leaseRequest = since === undefined ? newcomer : { ...newcomer, requeued: true, since };
        const split = planSplit(context.route, context.request, usableSlots(context));
        if (split !== undefined) await proxyParts(split, context, leaseRequest);
        else finish(context, await proxyRequest(context, leaseRequest));
        cached?.save(context.engine);
        return;
      } catch (error) {
        const other = isModelLost(error)
          ? findOtherTarget(matched, services, client, body, routed)
          : undefined;
        if (other === undefined) throw error;
        routed = other;
        since = performance.now() - (record.queuedMs ?? 0);
      }
    }
  } finally {
    reservation?.[Symbol.dispose]();
    state?.[Symbol.dispose]();
    client.keepAlive?.[Symbol.dispose]();
    allocation[Symbol.dispose]();
    listed[Symbol.dispose]();
  }
}

/** A request whose model is known. */
interface RoutedBody {
  readonly body: Buffer;
  /** Only with stored responses. */
  readonly state: StatefulRequest | undefined;
  readonly routed: RoutedRequest;
}

/**
 * The request as an engine of its model gets it, and its client is to be written to. Throws the ApiError of an invalid one.
 * `before`: the same request at another model, whose client may have been told something already.
 */
function openContext(
  matched: ApiRoute,
  services: ProxyServices,
  client: RequestContext,
  { body, state, routed }: RoutedBody,
  before: ProxyContext | undefined,
): ProxyContext {
  const { incoming, response, record, key, isBatch } = client;
  const { model, alias, conversation } = routed;
  const contentType = incoming.headers['content-type'];
  const engine = model.pickEngine(conversation);
  const source = { contentType, body: routed.body ?? body, fields: routed.fields ?? state?.fields, isBatch };
  const parsed = parseRequest(matched, source, engine, services.config);
  const route = parsed.responseConversion === 'message' ? toChatRoute(matched) : matched;
  record.streamed = parsed.stream;
  for (const name in parsed.headers) response.setHeader(name, parsed.headers[name] ?? '');
  if (alias !== undefined) response.setHeader('x-corral-alias', inAscii(alias));
  const modelName = () => model.getName(parsed.model, key);
  record.model = modelName();
  const request = addressRequest(route, parsed, record.model, contentType, engine.monitor.isRouter);
  const adapter = model.getAdapter(record.model);
  if (adapter !== undefined) checkAdapterRoute(route, contentType);
  const getRename = adapter === undefined ? undefined : () => renameOf(model, record.model);
  const { formatter, rewriter } = before ?? createClientFormat(route, request, record, state, getRename);
  // The runner waits without one: an early head would hide from it what became of its request.
  if (!isBatch && client.background === undefined && state?.createInBackground === undefined) {
    const { startedAt } = record;
    const written = { route, request, formatter, response, startedAt };
    client.keepAlive ??= createKeepAlive(written, services.config.timeouts);
  }
  rejectIfBlocked(engine.quarantine, record, request.body);
  return {
    route,
    services,
    model,
    conversation,
    engine,
    request,
    isBatch,
    signal: client.controller.signal,
    record,
    keepAlive: client.keepAlive,
    formatter,
    rewriter,
    sent: state?.sent?.begun,
    isBackground: client.background !== undefined,
    incoming,
    response,
    modelName,
  };
}

/** The name of an alias may have any letters, but a header has no others. They are percent-encoded. */
const inAscii = (name: string) => name.replace(/[^\x21-\x7e]+/g, encodeURIComponent);

/** `body`: with the defaults of the model. */
function openCached(
  route: ApiRoute,
  { services: { responseCache }, record }: ProxyContext,
  client: RequestContext,
  body: Buffer,
): CachedRequest | undefined {
  return responseCache && CachedRequest.open(responseCache, route, client, body, record.model ?? '');
}

/**
 * What has to be asked of an engine before the request may wait for its slots: the size of its embeddings, and how many tokens
 * a prompt has that looks too long. Undefined if nothing has. `mayWait`: see mayExceedContext.
 */
function checkAtEngine(
  context: ProxyContext,
  client: RequestContext,
  mayWait: boolean,
): Promise<void> | undefined {
  const { route, request, engine, record } = context;
  const { dimensions } = request;
  if (dimensions !== undefined) return checkDimensions(dimensions, context, countingLease(context, client));
  if (!mayExceedContext(route, request, engine, mayWait)) return undefined;
  return fitPrompt(route, request, context, countingLease(context, client)).then((fitted) => {
    context.request = fitted;
    // It may be another body than before.
    rejectIfBlocked(engine.quarantine, record, fitted.body);
  });
}

/** The history of a request takes memory like its own body. Throws an ApiError if there is not so much. */
function takeHistory(allocation: BodyAllocation, bytes: number): void {
  const error = allocation.allocate(bytes);
  if (error !== undefined) throw error;
}

/** A request by an alias goes on at another target if its model will not serve. Undefined if there is none. */
function findOtherTarget(
  route: ApiRoute,
  { routing }: ProxyServices,
  client: RequestContext,
  body: Buffer,
  { alias, model }: RoutedRequest,
): RoutedRequest | undefined {
  const other = alias === undefined ? undefined : routing.route(route, client, body);
  return other === undefined || other instanceof Promise || other.model === model ? undefined : other;
}

/** llama-server knows an adapter by the name of its model. */
function renameOf(model: RequestedModel, name = ''): ModelRename | undefined {
  const adapter = model.getAdapter(name);
  return adapter === undefined ? undefined : { from: name.slice(0, -adapter.length - 1), to: name };
}

/** Asks for a turn at counting tokens. */
function countingLease(context: ProxyContext, { key, record }: RequestContext): LeaseRequest {
  const { request, signal } = context;
  const lane = laneForKey(key, record.user);
  return { ...countingLeaseRequest(lane, request.body.length), signal, onQueued: progressReporter(context) };
}

/** Asks for slots to generate on. */
function slotLease(context: ProxyContext, { key, record }: RequestContext): LeaseRequest {
  const { request, signal, isBatch } = context;
  const lane = isBatch ? batchLaneForKey(key, record.user) : laneForKey(key, record.user);
  return { lane, slots: request.sequences, signal, onQueued: progressReporter(context) };
}

function usableSlots({ engine: { scheduler }, isBatch }: ProxyContext): UsableSlots {
  const { capacity: all } = scheduler;
  return { usable: isBatch ? scheduler.batches.capacity : all, all };
}

function startReading(
  { config: { limits, timeouts } }: ProxyServices,
  { incoming, controller: { signal } }: RequestContext,
  allocation: BodyAllocation,
): Buffer | Promise<Buffer> {
  return readBody(incoming, {
    maxBytes: limits.maxBodyBytes,
    idleTimeout: timeouts.clientBody,
    minRate: limits.minBodyRate,
    allocation,
    signal,
  });
}

function reserveTokens(
  { route: { generates }, services, engine, request: { estimate } }: ProxyContext,
  client: RequestContext,
): Disposable | undefined | Promise<Disposable | undefined> {
  const context = engine.monitor.props?.contextPerSlot;
  return services.rateLimits.reserveTokens(client, { expected: estimate, generates, context });
}

/** Shows a queued client its position, or how much of its model is loaded, for as long as it waits in a lane. */
function progressReporter({ keepAlive, model }: ProxyContext): LeaseRequest['onQueued'] {
  if (keepAlive === undefined) return undefined;
  return (currentPosition) => {
    keepAlive.comment = () => {
      const { position, waiting } = currentPosition();
      return position === 0 ? undefined : (model.loadComment ?? `queued ${position} of ${waiting}`);
    };
    keepAlive.start();
  };
}
