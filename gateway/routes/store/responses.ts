import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { invalidValue } from '../../errors/catalogue.ts';
import {
  cannotCancelEnded,
  cannotCancelSynchronous,
  cannotFollowSynchronous,
  responseNotFound,
} from '../../errors/responses-catalogue.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { followResponse } from '../responses/follow-response.ts';
import { describeItem } from './item-object.ts';
import { listPage, readId, readLimit, readNumber, readOrder, unknownCursor } from './page-query.ts';
import { ownerOf, type StoreServices } from './store-services.ts';

const [ITEMS_PER_PAGE, MAX_ITEMS_PER_PAGE] = [20, 100];

/**
 * `GET /v1/responses/{id}`; with `stream=true`, the events of one that was created in the background. What `include` may ask
 * for is there in any case, or does not exist here.
 */
export async function getResponse(c: GatewayContext, services: StoreServices): Promise<Response> {
  const { store, changes, config, liveRequests, bodyBudget } = services;
  const context = c.get('request');
  const [id, owner] = [idOf(c), ownerOf(context)];
  const response = store.responses.get(owner, id);
  if (response === undefined) throw responseNotFound(id);
  if (c.req.query('stream') !== 'true') return c.json(response.object);
  if (!response.background) throw cannotFollowSynchronous();
  const following = { store: () => services.store, changes, config, draining: bodyBudget.shutdown };
  using _ = liveRequests.add(context);
  await followResponse(context, { owner, id }, readStartingAfter(c), following);
  return RESPONSE_ALREADY_SENT;
}

function readStartingAfter(c: GatewayContext): number | undefined {
  const given = readId(c, 'starting_after');
  if (given === undefined) return undefined;
  const after = readNumber(given);
  if (typeof after === 'string' || !Number.isInteger(after) || after < 0)
    throw invalidValue('starting_after', 'the sequence_number of an event', after);
  return after;
}

/** `DELETE /v1/responses/{id}`. Responses that continue it keep their history. */
export function deleteResponse(c: GatewayContext, services: StoreServices): Response {
  const id = idOf(c);
  if (!services.store.responses.delete(ownerOf(c.get('request')), id)) throw responseNotFound(id);
  cutOff(id, services);
  return c.json({ id, object: 'response', deleted: true });
}

/** `GET /v1/responses/{id}/input_items`: all that the model got, as with OpenAI: what the request continued, then what it sent. */
export function listInputItems(c: GatewayContext, { store }: StoreServices): Response {
  const id = idOf(c);
  const page = store.responses.inputItems(ownerOf(c.get('request')), id, {
    after: readId(c, 'after'),
    limit: readLimit(c, ITEMS_PER_PAGE, MAX_ITEMS_PER_PAGE),
    order: readOrder(c),
  });
  if (page === undefined) throw responseNotFound(id);
  if (page === 'unknown-after') throw unknownCursor('after', 'item');
  return c.json(listPage(page.items.map(describeItem), page.hasMore));
}

/** `POST /v1/responses/{id}/cancel`. It may be repeated. */
export function cancelResponse(c: GatewayContext, services: StoreServices): Response {
  const { responses } = services.store;
  const [id, owner] = [idOf(c), ownerOf(c.get('request'))];
  const response = responses.get(owner, id);
  if (response === undefined) throw responseNotFound(id);
  if (!response.background) throw cannotCancelSynchronous();
  const { status, object } = responses.cancel(owner, id) ?? response;
  if (status === 'completed' || status === 'incomplete' || status === 'failed')
    throw cannotCancelEnded(status);
  cutOff(id, services);
  return c.json(object);
}

/** A response that is not to be generated any more: its slot is free at once, and those who follow it learn of the end. */
function cutOff(id: string, { liveRequests, changes }: StoreServices): void {
  liveRequests.cancelBackground(id);
  changes.notify();
}

const idOf = (c: GatewayContext) => c.req.param('id') ?? '';
