import { hash } from 'node:crypto';
import type { JsonObject } from '../../../json/json-object.ts';
import { formatEvent, parseEvents, type StreamEvent } from '../../../sse/sse.ts';
import type { BackgroundResponse, StoredResponse } from '../../../store/response.ts';
import type { Store } from '../../../store/store.ts';
import { parseBody } from '../../api/request/parse-body.ts';
import type { EchoedFields } from '../../api/responses/echoed-fields.ts';
import { completeResponse } from '../../api/responses/response-object.ts';
import type { ResponsesApiEvent } from '../../api/responses/stream-state.ts';
import { conversationLocked, responseNotFound } from '../../errors/responses-catalogue.ts';
import { idempotencyKeyReused } from '../../errors/store-catalogue.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import type { SentStream, StatefulRequest } from '../../proxy/response-states.ts';
import { readIdempotencyKey } from '../store/batch-request.ts';
import { ownerOf, toApiError } from '../store/store-services.ts';
import { expandRequest } from './expand-request.ts';
import { type FollowServices, followResponse } from './follow-response.ts';
import { collectItems } from './read-history.ts';

/** A response that is to be generated in the background. */
export interface NewBackgroundResponse
  extends Omit<BackgroundResponse, 'object' | 'model' | 'request' | 'requestDigest' | 'idempotencyKey'> {
  /** Without its input. */
  readonly request: string;
  /** What its client calls the session, in a header. */
  readonly session: string | undefined;
  /** The body as it came. */
  readonly body: Buffer;
  readonly model: string;
  readonly echoed: EchoedFields;
}

/** Creates background responses, and gives them to the runner when it asks for them. */
export class BackgroundResponses {
  readonly #services: FollowServices;

  constructor(services: FollowServices) {
    this.#services = services;
  }

  /** Sends a client the response that it has created as it is now, or its events up to its end. */
  async respond(
    client: RequestContext,
    { owner, id, object }: StoredResponse,
    stream: boolean,
  ): Promise<void> {
    if (stream) await followResponse(client, { owner, id }, undefined, this.#services);
    else sendJson(client, object);
  }

  /** Throws an ApiError. */
  create(
    client: RequestContext,
    { body, echoed, request, session, ...response }: NewBackgroundResponse,
  ): StoredResponse {
    const { responses } = this.#services.store();
    const { id, model, createdAt } = response;
    const context = { id, model, createdAt, echoed };
    const object = completeResponse(context, { object: 'response', status: 'queued' });
    try {
      const created = responses.create({
        ...response,
        user: client.record.user,
        object,
        request: { text: request, session },
        events: announcement(object),
        idempotencyKey: readIdempotencyKey(client.incoming),
        requestDigest: hash('sha256', body),
      });
      if (created === 'idempotency-conflict') throw idempotencyKeyReused();
      if (created === 'conversation-locked') throw conversationLocked();
      return created.response;
    } catch (error) {
      throw toApiError(error);
    }
  }

  /** The request of the runner for a response: it goes on behind the events that are stored. Throws an ApiError. */
  resume(client: RequestContext, id: string, maxBytes: number): StatefulRequest {
    const owner = ownerOf(client);
    const { responses } = this.#services.store();
    const response = responses.get(owner, id);
    const stored = responses.requestOf(id);
    if (response === undefined || stored === undefined) throw responseNotFound(id);
    const text = String(stored.request.text);
    if (typeof stored.request.session === 'string') client.session = stored.request.session;
    const fields = parseBody(text);
    const limit = { maxBytes, mayTruncate: fields.truncation === 'auto' };
    const items = collectItems(responses.historyBackwards(owner, { before: id }), limit);
    const input = { items: stored.input.map(({ item }) => item) };
    const { previous_response_id, conversation } = response.object;
    return {
      ...expandRequest(text, fields, input, { items, tools: undefined }),
      id,
      createdAt: response.createdAt,
      echoed: { previous_response_id, conversation, store: true, background: true },
      save: undefined,
      sent: readSent(responses, id),
      [Symbol.dispose]() {},
    };
  }
}

/** What a client learns at once, in the form of the events that follow. */
function announcement(response: JsonObject): { sequence: number; text: string }[] {
  return ['response.created', 'response.queued'].map((type, sequence) => ({
    sequence,
    text: formatEvent({ type, response, sequence_number: sequence }, type),
  }));
}

const announcing: ReadonlySet<unknown> = new Set(['response.created', 'response.queued']);

function readSent(responses: Store['responses'], id: string): SentStream {
  const stored = responses.eventsAfter(id, -1, Number.POSITIVE_INFINITY);
  const text = stored.map((event) => event.text).join('');
  const events = parseEvents(text).filter(isResponseEvent);
  const last = stored.at(-1);
  // The announcement may name the model that would have answered then.
  const model = events.findLast(({ response }) => response !== undefined)?.response?.model;
  return {
    events,
    next: last === undefined ? responses.firstEvent(id) : last.sequence + 1,
    begun: events.every(({ type }) => announcing.has(type))
      ? undefined
      : { events: Buffer.from(text), model },
  };
}

const isResponseEvent = (event: StreamEvent): event is ResponsesApiEvent => typeof event.type === 'string';

function sendJson({ response, record }: RequestContext, object: JsonObject): void {
  const body = Buffer.from(JSON.stringify(object));
  record.bytesOut = body.length;
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}
