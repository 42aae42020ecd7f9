import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ApiRequest } from '../api/parse-request-body.ts';
import { type ApiRoute, toChatRoute } from '../api/route-table.ts';
import { addressGroup } from '../http/address-group.ts';
import type { Reservation } from '../limits/reservation.ts';
import { addressModel } from '../models/router-models.ts';
import { laneForKey } from '../scheduler/lane.ts';
import { countingLeaseRequest } from '../scheduler/scheduler.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { checkPromptLength } from './check-prompt-length.ts';
import { createClientFormat } from './client-format.ts';
import { createKeepAlive, reportQueuePosition } from './create-keep-alive.ts';
import { checkDimensions, withPublicName } from './embedding-request.ts';
import { finish } from './finish.ts';
import type { GatewayContext } from './gateway-context.ts';
import { parseRequest } from './parse-request.ts';
import { planBatch } from './plan-batch.ts';
import { proxyBatch } from './proxy-batch.ts';
import type { ProxyServices } from './proxy-context.ts';
import { RetryLoop } from './proxy-request.ts';
import { recordResult } from './record-result.ts';
import { rejectIfBlocked } from './reject-if-blocked.ts';

/** The middle of the way: read the request, wait for a lease, exchange with the backend, note what came of it. */
export function handleApiRequest(asked: ApiRoute, parts: ProxyServices) {
  return async (c: GatewayContext): Promise<Response> => {
    const { incoming } = c.env;
    const response = c.get('response');
    const record = c.get('record');
    const controller = abortOnDisconnect(response.raw);
    const { signal } = controller;
    using _listed = parts.liveRequests.add(record, controller);
    using held = parts.bodyBudget.open(ownerOf(c));
    const received = await parseRequest(asked, parts.config, incoming, held, signal, parts.watch.props);
    const route = received.responseConversion === 'message' ? toChatRoute(asked) : asked;
    record.streamed = received.stream;
    for (const name in received.headers) response.setHeader(name, received.headers[name] ?? '');
    const modelName = () => parts.models.resolve(received.model, c.get('key'));
    record.model = modelName();
    const named = withPublicName(route, received, record.model);
    const type = incoming.headers['content-type'];
    const request = parts.watch.isRouter ? addressModel(named, record.model, type) : named;
    await checkDimensions(request, parts);
    const speaking = createClientFormat(route, request, record.model);
    const { formatter } = speaking;
    const paced = { route, request, formatter, response, startedAt: record.startedAt };
    using pacemaker = createKeepAlive(paced, parts.config.timeouts);
    c.set('pacemaker', pacemaker);
    const lane = laneForKey(c.get('key'));
    const waits = { signal, onQueued: reportQueuePosition(pacemaker) };
    const toCount = { ...countingLeaseRequest(lane, request.body.length), ...waits };
    rejectIfBlocked(parts.quarantine, record, request.body);
    await checkPromptLength(route, request, parts, toCount);
    using _reserved = await reserve(route, parts, request, c);
    const claim = route.takesSlot ? { lane, slots: request.weight, ...waits } : toCount;
    const sending = {
      route,
      services: parts,
      request,
      signal,
      record,
      keepAlive: pacemaker,
      ...speaking,
      incoming,
      response,
      modelName,
    };
    const batch = planBatch(route, request, parts.scheduler.counts.capacity);
    if (batch !== undefined) {
      await proxyBatch(batch, sending, claim);
      return RESPONSE_ALREADY_SENT;
    }
    const answered = await new RetryLoop(sending, claim).run();
    recordResult(record, answered, parts.abandonedInput);
    finish(record, answered, parts.watch);
    return RESPONSE_ALREADY_SENT;
  };
}

/** Whose bodies they are: of a key, or of a network where no key is asked for. */
function ownerOf(c: GatewayContext): string {
  const key = c.get('key');
  return key === undefined ? `from ${addressGroup(c.get('record').address)}` : `of ${key.id}`;
}

/** What only counts or tokenizes costs no tokens. */
async function reserve(
  { takesSlot, generates }: ApiRoute,
  { rateLimits, watch }: ProxyServices,
  { estimate }: ApiRequest,
  c: GatewayContext,
): Promise<Reservation | undefined> {
  if (!takesSlot) return undefined;
  return rateLimits.reserveTokens({
    key: c.get('key'),
    expected: estimate,
    generates,
    context: watch.props?.contextPerSlot,
    record: c.get('record'),
    response: c.get('response'),
  });
}
