import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { countingClaim } from '../admission/counting-places.ts';
import { laneFor } from '../admission/lane-for.ts';
import { planBatch } from '../batches/plan-batch.ts';
import { addressGroup } from '../door/address-group.ts';
import type { GatewayContext } from '../door/gateway-context.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import { addressModel } from '../router/address-model.ts';
import { type ApiRoute, servedAsChat } from '../routes/api-routes.ts';
import { abortWithClient } from './abort-with-client.ts';
import { carryInParts } from './carry-in-parts.ts';
import { refuseOtherSizes, withPublicName } from './embedding-request.ts';
import { Journey } from './journey.ts';
import { noteAnswer } from './note-answer.ts';
import { openPacemaker, tellPlace } from './open-pacemaker.ts';
import { openSpeaking } from './open-speaking.ts';
import { receive } from './receive.ts';
import { refuseCulprit } from './refuse-culprit.ts';
import { refuseTooLong } from './refuse-too-long.ts';
import type { CarryParts } from './sending.ts';
import { settle } from './settle.ts';

/** The middle of the way: read the request, wait for a lease, exchange with the backend, note what came of it. */
export function carry(asked: ApiRoute, parts: CarryParts) {
  return async (c: GatewayContext): Promise<Response> => {
    const { incoming } = c.env;
    const response = c.get('response');
    const record = c.get('record');
    const controller = abortWithClient(response.raw);
    const { signal } = controller;
    using _listed = parts.live.open(record, controller);
    using held = parts.bodies.open(ownerOf(c));
    const received = await receive(asked, parts.config, incoming, held, signal, parts.watch.facts);
    const route = received.answerForm === 'message' ? servedAsChat(asked) : asked;
    record.streamed = received.stream;
    for (const name in received.headers) response.setHeader(name, received.headers[name] ?? '');
    const modelName = () => parts.models.resolve(received.model, c.get('key'));
    record.model = modelName();
    const named = withPublicName(route, received, record.model);
    const type = incoming.headers['content-type'];
    const request = parts.watch.isRouter ? addressModel(named, record.model, type) : named;
    await refuseOtherSizes(request, parts);
    const speaking = openSpeaking(route, request, record.model);
    const { voice } = speaking;
    const paced = { route, request, voice, response, startedAt: record.startedAt };
    using pacemaker = openPacemaker(paced, parts.config.timeouts);
    c.set('pacemaker', pacemaker);
    const lane = laneFor(c.get('key'));
    const waits = { signal, onWait: tellPlace(pacemaker) };
    const toCount = { ...countingClaim(lane, request.body.length), ...waits };
    refuseCulprit(parts.suspects, record, request.body);
    await refuseTooLong(route, request, parts, toCount);
    using _reserved = await reserve(route, parts, request, c);
    const claim = route.takesSlot ? { lane, weight: request.weight, ...waits } : toCount;
    const sending = {
      route,
      parts,
      request,
      signal,
      record,
      pacemaker,
      ...speaking,
      incoming,
      response,
      modelName,
    };
    const batch = planBatch(route, request, parts.admission.counts.capacity);
    if (batch !== undefined) {
      await carryInParts(batch, sending, claim);
      return RESPONSE_ALREADY_SENT;
    }
    const answered = await new Journey(sending, claim).complete();
    noteAnswer(record, answered, parts.abandoned);
    settle(record, answered, parts.watch);
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
  { rateLimits, watch }: CarryParts,
  { expected }: ApiRequest,
  c: GatewayContext,
): Promise<Reservation | undefined> {
  if (!takesSlot) return undefined;
  return rateLimits.reserveTokens({
    key: c.get('key'),
    expected,
    generates,
    context: watch.facts?.contextPerSlot,
    record: c.get('record'),
    response: c.get('response'),
  });
}
