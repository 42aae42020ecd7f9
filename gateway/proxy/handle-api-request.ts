import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Key } from '../../keys/key.ts';
import { type ApiRoute, toChatRoute } from '../api/route-table.ts';
import { addressGroup } from '../http/client-address.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { Reservation } from '../limits/reservation.ts';
import { laneForKey } from '../scheduler/fair-queue.ts';
import { countingLeaseRequest, type QueuePosition } from '../scheduler/scheduler.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import type { KeepAlive } from '../upstream/keep-alive.ts';
import { planBatch, proxyBatch } from './batch.ts';
import { createClientFormat, createKeepAlive } from './client-format.ts';
import { finish } from './finish.ts';
import type { GatewayContext } from './gateway-context.ts';
import {
  addressRequest,
  checkDimensions,
  checkPromptLength,
  parseRequest,
  rejectIfBlocked,
} from './parse-request.ts';
import type { ProxyContext, ProxyServices } from './proxy-context.ts';
import { proxyRequest } from './proxy-request.ts';
import type { RequestRecord } from './request-record.ts';

/** The client's side of one request. */
export interface ClientExchange {
  readonly incoming: IncomingMessage;
  readonly response: ClientResponse;
  readonly record: RequestRecord;
  /** Undefined without authentication. */
  readonly key: Key | undefined;
  /** Called as soon as it is known what keeps the client's connection alive; undefined if nothing may. */
  readonly onKeepAlive: (keepAlive: KeepAlive | undefined) => void;
}

/** The handler of one route of the backend. */
export function proxyApiRoute(route: ApiRoute, services: ProxyServices) {
  return async (c: GatewayContext): Promise<Response> => {
    await handleApiRequest(route, services, {
      incoming: c.env.incoming,
      response: c.get('response'),
      record: c.get('record'),
      key: c.get('key'),
      onKeepAlive: (keepAlive) => c.set('keepAlive', keepAlive),
    });
    return RESPONSE_ALREADY_SENT;
  };
}

/**
 * The way of an API request: parse, check, wait for a lease, exchange with the backend, finish. Throws the ApiError
 * of a request whose response has not begun.
 */
async function handleApiRequest(
  matched: ApiRoute,
  services: ProxyServices,
  client: ClientExchange,
): Promise<void> {
  const { incoming, response, record, key } = client;
  const { config, monitor } = services;
  const controller = abortOnDisconnect(response.raw);
  const { signal } = controller;
  using _listed = services.liveRequests.add(record, controller);
  using allocation = services.bodyBudget.open(bodyOwner(client));
  const parsed = await parseRequest(matched, config, incoming, allocation, signal, monitor.props);
  const route = parsed.responseConversion === 'message' ? toChatRoute(matched) : matched;
  record.streamed = parsed.stream;
  for (const name in parsed.headers) response.setHeader(name, parsed.headers[name] ?? '');
  const modelName = () => services.models.resolve(parsed.model, key);
  record.model = modelName();
  const request = addressRequest(
    route,
    parsed,
    record.model,
    incoming.headers['content-type'],
    monitor.isRouter,
  );
  await checkDimensions(request, services);
  const format = createClientFormat(route, request, record.model);
  const { formatter } = format;
  using keepAlive = createKeepAlive(
    { route, request, formatter, response, startedAt: record.startedAt },
    config.timeouts,
  );
  client.onKeepAlive(keepAlive);
  const lane = laneForKey(key);
  const waitOptions = { signal, onQueued: reportQueuePosition(keepAlive) };
  const countingLease = { ...countingLeaseRequest(lane, request.body.length), ...waitOptions };
  rejectIfBlocked(services.quarantine, record, request.body);
  await checkPromptLength(route, request, services, countingLease);
  using _reserved = await reserveTokens({ route, services, request }, client);
  const leaseRequest = route.takesSlot ? { lane, slots: request.sequences, ...waitOptions } : countingLease;
  const context: ProxyContext = {
    route,
    services,
    request,
    signal,
    record,
    keepAlive,
    formatter,
    rewriter: format.rewriter,
    incoming,
    response,
    modelName,
  };
  const batch = planBatch(route, request, services.scheduler.counts.capacity);
  if (batch !== undefined) await proxyBatch(batch, context, leaseRequest);
  else finish(context, await proxyRequest(context, leaseRequest));
}

/** Aborts if the client disconnects before its response is complete, in whatever way: FIN, RST or half-close. */
function abortOnDisconnect(response: ServerResponse): AbortController {
  const controller = new AbortController();
  const abort = () => controller.abort(new ClientDisconnected('the client left'));
  if (response.destroyed || response.closed) abort();
  else response.once('close', () => response.writableFinished || abort());
  return controller;
}

/** Whose share of the memory a body takes: a key's, or without authentication a network's. */
function bodyOwner({ key, record }: ClientExchange): string {
  return key === undefined ? `from ${addressGroup(record.address)}` : `of ${key.id}`;
}

/** Requests that only count tokens cost none. */
async function reserveTokens(
  { route, services, request }: Pick<ProxyContext, 'route' | 'services' | 'request'>,
  { key, record, response }: ClientExchange,
): Promise<Reservation | undefined> {
  if (!route.takesSlot) return undefined;
  return services.rateLimits.reserveTokens({
    key,
    expected: request.estimate,
    generates: route.generates,
    context: services.monitor.props?.contextPerSlot,
    record,
    response,
  });
}

/** Shows a queued client its position, for as long as it waits in a lane. */
function reportQueuePosition(keepAlive: KeepAlive | undefined): (position: () => QueuePosition) => void {
  return (currentPosition) => {
    if (keepAlive === undefined) return;
    keepAlive.comment = () => {
      const { position, waiting } = currentPosition();
      return position === 0 ? undefined : `queued ${position} of ${waiting}`;
    };
    keepAlive.start();
  };
}
