import { type ApiRoute, toChatRoute } from '../api/route-table.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import type { RequestedModel } from '../engines/model-services.ts';
import type { Reservation } from '../limits/reservation.ts';
import { countingLeaseRequest } from '../scheduler/counting-scheduler.ts';
import { batchLaneForKey, type LaneSettings, laneForKey } from '../scheduler/lane.ts';
import type { LeaseRequest, QueuePosition } from '../scheduler/lease.ts';
import type { KeepAlive } from '../upstream/keep-alive.ts';
import { planBatch, proxyBatch } from './batch.ts';
import { type BodyAllocation, bodyOwner } from './body-budget.ts';
import { type ClientFormat, createClientFormat, createKeepAlive } from './client-format.ts';
import { finish } from './finish.ts';
import type { RoutedRequest } from './model-routing.ts';
import {
  addressRequest,
  checkContentType,
  checkDimensions,
  checkPromptLength,
  mayExceedContext,
  parseRequest,
  rejectIfBlocked,
} from './parse-request.ts';
import type { ProxyContext, ProxyServices } from './proxy-context.ts';
import { proxyRequest } from './proxy-request.ts';
import { readBody } from './read-body.ts';
import type { RequestContext } from './request-context.ts';
import { isModelLost } from './result-errors.ts';

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
  const { incoming, response, record, key, isBatch } = client;
  const { config } = services;
  const { signal } = client.controller;
  checkContentType(matched, incoming);
  const allocation = services.bodyBudget.open(bodyOwner(client));
  const listed = services.liveRequests.add(client);
  let reservation: Reservation | undefined;
  let format: ClientFormat | undefined;
  /** Since when it has waited, if that began at another model. */
  let since: number | undefined;
  // Not `using`: its stacks would be a large part of what a request keeps in memory while it waits.
  try {
    // Node's parser reports a body after the head that came with it: one turn of the microtask queue later it is there.
    await undefined;
    const reading = startReading(services, client, allocation);
    const body = reading instanceof Promise ? await reading : reading;
    const contentType = incoming.headers['content-type'];
    const routing = services.routing.route(matched, client, body);
    let routed = routing instanceof Promise ? await routing : routing;
    for (;;) {
      try {
        const { model, alias, conversation } = routed;
        const engine = model.pickEngine(conversation);
        const { monitor } = engine;
        const parsed = parseRequest(
          matched,
          config,
          contentType,
          routed.body ?? body,
          monitor.props,
          routed.fields,
          isBatch,
        );
        const route = parsed.responseConversion === 'message' ? toChatRoute(matched) : matched;
        record.streamed = parsed.stream;
        for (const name in parsed.headers) response.setHeader(name, parsed.headers[name] ?? '');
        if (alias !== undefined) response.setHeader('x-corral-alias', alias);
        const modelName = () => model.getName(parsed.model, key);
        record.model = modelName();
        const request = addressRequest(route, parsed, record.model, contentType, monitor.isRouter);
        // One that goes on at another model may have told its client something already.
        format ??= createClientFormat(route, request, record);
        const { formatter, rewriter } = format;
        const { startedAt } = record;
        // The runner of batches waits without one: an early head would hide from it what became of a line.
        if (!isBatch)
          client.keepAlive ??= createKeepAlive(
            { route, request, formatter, response, startedAt },
            config.timeouts,
          );
        const { keepAlive } = client;
        const lane = laneForKey(key);
        const onQueued = keepAlive && reportProgress(keepAlive, model);
        rejectIfBlocked(engine.quarantine, record, request.body);
        if (request.dimensions !== undefined) {
          const leaseRequest = countingLease(lane, request.body, signal, onQueued);
          await checkDimensions(request.dimensions, { model, engine }, leaseRequest);
        }
        if (mayExceedContext(route, request, engine)) {
          const leaseRequest = countingLease(lane, request.body, signal, onQueued);
          await checkPromptLength(route, request.body, { model, engine }, leaseRequest);
        }
        const counts = route.takesSlot && !isBatch && reservation === undefined;
        const reserving = counts ? reserveTokens(route, services, engine, request, client) : undefined;
        reservation ??= reserving instanceof Promise ? await reserving : reserving;
        const context: ProxyContext = {
          route,
          services,
          model,
          conversation,
          engine,
          request,
          isBatch,
          signal,
          record,
          keepAlive,
          formatter,
          rewriter,
          incoming,
          response,
          modelName,
        };
        const newcomer = route.takesSlot
          ? { lane: isBatch ? batchLaneForKey(key) : lane, slots: request.sequences, signal, onQueued }
          : countingLease(lane, request.body, signal, onQueued);
        const leaseRequest = since === undefined ? newcomer : { ...newcomer, requeued: true, since };
        const { scheduler } = engine;
        const slots = isBatch ? scheduler.batches.capacity : scheduler.capacity;
        const batch = planBatch(route, request, slots);
        if (batch !== undefined) await proxyBatch(batch, context, leaseRequest);
        else finish(context, await proxyRequest(context, leaseRequest));
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
    client.keepAlive?.[Symbol.dispose]();
    allocation[Symbol.dispose]();
    listed[Symbol.dispose]();
  }
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

function countingLease(
  lane: LaneSettings,
  body: Buffer,
  signal: AbortSignal,
  onQueued: LeaseRequest['onQueued'],
): LeaseRequest {
  return { ...countingLeaseRequest(lane, body.length), signal, onQueued };
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
  { generates }: ApiRoute,
  { rateLimits }: ProxyServices,
  { monitor }: EngineServices,
  { estimate }: ProxyContext['request'],
  { key, record, response }: RequestContext,
): Reservation | undefined | Promise<Reservation | undefined> {
  const context = monitor.props?.contextPerSlot;
  return rateLimits.reserveTokens({ key, expected: estimate, generates, context, record, response });
}

/** Shows a queued client its position, or how much of its model is loaded, for as long as it waits in a lane. */
function reportProgress(
  keepAlive: KeepAlive,
  model: RequestedModel,
): (position: () => QueuePosition) => void {
  return (currentPosition) => {
    keepAlive.comment = () => {
      const { position, waiting } = currentPosition();
      return position === 0 ? undefined : (model.loadComment ?? `queued ${position} of ${waiting}`);
    };
    keepAlive.start();
  };
}
