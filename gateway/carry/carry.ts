import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Pool } from 'undici';
import type { BackendWatch } from '../../health/watch.ts';
import type { Admission, Claim } from '../admission/admission.ts';
import { laneFor } from '../admission/lane-for.ts';
import type { Lease } from '../admission/lease.ts';
import type { GatewayConfig } from '../config.ts';
import type { GatewayContext } from '../door/gateway-context.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { Reservation } from '../limits/reservation.ts';
import { openAssembly } from '../openai/assemble/open-assembly.ts';
import { expectTokensOfForm } from '../openai/expected-tokens.ts';
import type { ModelNames } from '../openai/model-names.ts';
import { type ApiRequest, readRequest } from '../openai/read-request.ts';
import { ResponseMender } from '../openai/responses/response-mender.ts';
import type { LiveRequests } from '../record/live-requests.ts';
import type { RequestRecord } from '../record/request-record.ts';
import { unsupportedMediaType } from '../refusal/catalogue.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { AnswerEnds } from '../upstream/answer-ends.ts';
import { type Ending, exchange } from '../upstream/exchange.ts';
import type { Failure } from '../upstream/failure.ts';
import { headersForBackend } from '../upstream/headers.ts';
import type { Pacemaker } from '../upstream/pacemaker.ts';
import { abortWithClient } from './abort-with-client.ts';
import type { AbandonedInput } from './count-abandoned.ts';
import { limitsFor } from './limits-for.ts';
import { mayTryAgain } from './may-try-again.ts';
import { type Answered, noteAnswer } from './note-answer.ts';
import { openPacemaker, tellPlace } from './open-pacemaker.ts';
import { readBody } from './read-body.ts';
import { refuseAdmission, refuseEnding } from './refuse-ending.ts';
import { refuseTooLong } from './refuse-too-long.ts';

export interface CarryParts {
  readonly config: GatewayConfig;
  readonly pool: Pool;
  readonly admission: Admission;
  readonly watch: BackendWatch;
  readonly models: ModelNames;
  readonly live: LiveRequests;
  readonly abandoned: AbandonedInput;
  readonly rateLimits: RateLimits;
}

/** The middle of the way: read the request, wait for a lease, exchange with the backend, note what came of it. */
export function carry(route: ApiRoute, parts: CarryParts) {
  return async (c: GatewayContext): Promise<Response> => {
    const { incoming, outgoing } = c.env;
    const record = c.get('record');
    const controller = abortWithClient(outgoing);
    const { signal } = controller;
    using _listed = parts.live.open(record, controller);
    const request = await receive(route, parts, incoming, signal);
    record.streamed = request.stream;
    record.model = parts.models.resolve(request.model, c.get('key'));
    await refuseTooLong(route, request, { ...parts, apiKey: parts.config.backend.apiKey });
    using _reserved = await reserve(route, parts, request, c);
    const paced = { route, request, response: outgoing, startedAt: record.startedAt };
    using pacemaker = openPacemaker(paced, parts.config.timeouts);
    c.set('pacemaker', pacemaker);
    const lane = laneFor(c.get('key'));
    const weight = route.takesSlot ? request.weight : 0;
    const claim = { lane, weight, signal, onWait: tellPlace(pacemaker) };
    const sending = { route, parts, request, signal, record, pacemaker, incoming, outgoing };
    const answered = await sendUntilAnswered(sending, claim);
    noteAnswer(record, answered, parts.abandoned);
    settle(record, answered.ending, parts);
    return RESPONSE_ALREADY_SENT;
  };
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
    response: c.env.outgoing,
  });
}

async function receive(
  route: ApiRoute,
  { config }: CarryParts,
  incoming: IncomingMessage,
  signal: AbortSignal,
): Promise<ApiRequest> {
  const type = incoming.headers['content-type'];
  const isForm = type?.startsWith('multipart/form-data') ?? false;
  if (isForm && route.body !== 'json or form')
    throw unsupportedMediaType('multipart/form-data', 'application/json');
  if (type !== undefined && !isForm && !isJson(type)) throw unsupportedMediaType(type, 'application/json');
  const body = await readBody(incoming, {
    maxBytes: config.limits.maxBodyBytes,
    idleTimeout: config.timeouts.clientBody,
    signal,
  });
  if (isForm) return { model: undefined, stream: false, weight: 1, expected: expectTokensOfForm(), body };
  const { allowRemoteMedia } = config.limits;
  return readRequest(body, {
    allowRemoteMedia,
    takesMessages: route.takesMessages,
    isResponses: route.dialect === 'responses',
    shape: route.shape,
  });
}

const isJson = (type: string) => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);

interface Sending {
  readonly route: ApiRoute;
  readonly parts: CarryParts;
  readonly request: ApiRequest;
  readonly signal: AbortSignal;
  readonly record: RequestRecord;
  readonly pacemaker: Pacemaker | undefined;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** A backend that is away, or dies before it has said anything, costs a request time and nothing else. */
async function sendUntilAnswered(sending: Sending, claim: Claim): Promise<Answered> {
  const { parts, record } = sending;
  const { maxReplays, timeoutMs: patienceMs } = parts.config.admission;
  let brokenOff = 0;
  for (let tries = 1; ; tries++) {
    const answered = await sendOnce(
      sending,
      record.retries === undefined ? claim : { ...claim, again: true },
    );
    const { ending } = answered;
    if (ending.outcome === 'failed' && ending.failure.kind === 'broke-off') brokenOff += 1;
    const forMs = performance.now() - record.startedAt;
    if (!mayTryAgain(ending, { tries, brokenOff, forMs }, { maxReplays, patienceMs })) return answered;
    record.retries = tries;
    await parts.watch.look();
  }
}

async function sendOnce(sending: Sending, claim: Claim): Promise<Answered> {
  using lease = await admit(sending.parts, claim, sending.record);
  sending.pacemaker?.start();
  // Awaited here: the lease goes back when this function ends.
  return await send(sending, lease);
}

async function admit({ admission, watch }: CarryParts, claim: Claim, record: RequestRecord): Promise<Lease> {
  const since = performance.now();
  const admitted = await admission.admit(claim);
  record.queuedMs = (record.queuedMs ?? 0) + performance.now() - since;
  if (admitted.outcome !== 'granted') throw refuseAdmission(admitted, watch.standing, claim.signal);
  record.machineShare = admitted.lease.weight / Math.max(admission.counts.capacity, 1);
  return admitted.lease;
}

async function send(sending: Sending, lease: Lease): Promise<Answered> {
  const { route, parts, request, signal, record, pacemaker, incoming, outgoing } = sending;
  const { config, pool } = parts;
  const ends = new AnswerEnds();
  record.answer = ends;
  const since = performance.now();
  const ending = await exchange(
    {
      path: route.upstream,
      headers: headersForBackend(incoming.headers, record.id, config.backend.apiKey),
      body: request.body,
      isLastOnConnection: request.stream || request.assembledAs !== undefined,
    },
    {
      pool,
      response: outgoing,
      dialect: route.dialect,
      mender: menderFor(request, record),
      assembly: request.assembledAs && openAssembly(request.assembledAs),
      pacemaker,
      ends,
      signal,
      limits: limitsFor(request.stream, config.timeouts),
      startedAt: record.startedAt,
      queuedMs: lease.waitedMs,
    },
  );
  record.computeMs = (record.computeMs ?? 0) + performance.now() - since;
  return { route, request, ending, ends };
}

function menderFor({ repeated }: ApiRequest, { model = 'default' }: RequestRecord) {
  if (repeated === undefined) return undefined;
  return new ResponseMender({ model, createdAt: Math.floor(Date.now() / 1000), repeated });
}

/** Somebody on our side of the wire ended it: nothing is learnt about the backend. */
const isWanted = ({ kind }: Failure) => kind === 'client-left' || kind === 'cancelled';

function settle(record: RequestRecord, ending: Ending, { watch }: CarryParts): void {
  if (ending.outcome === 'complete') return;
  if (ending.outcome === 'failed' && !isWanted(ending.failure)) watch.nudge();
  const refusal = refuseEnding(ending, watch.standing);
  if (refusal === undefined) return;
  if (ending.outcome === 'declined' || ending.relay === undefined) throw refusal;
  record.error = refusal.code;
  record.cause = refusal.cause;
  ending.relay.breakOff(refusal);
}
