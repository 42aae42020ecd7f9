import type { Conversation } from '../../../store/conversations.ts';
import type { InputItem } from '../../../store/response.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { conversationItemNotFound, conversationNotFound } from '../../errors/responses-catalogue.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { readItems } from './input-items.ts';
import { describeItem } from './item-object.ts';
import { readMetadata } from './metadata.ts';
import { listPage, readId, readLimit, readOrder, unknownCursor } from './page-query.ts';
import { readJsonObject } from './read-json-object.ts';
import { ownerOf, type StoreServices } from './store-services.ts';

/** Limits of OpenAI's API. */
const [MAX_NEW_ITEMS, ITEMS_PER_PAGE, MAX_ITEMS_PER_PAGE] = [20, 20, 100];

/** `POST /v1/conversations` */
export async function createConversation(c: GatewayContext, services: StoreServices) {
  const context = c.get('request');
  const { items, metadata } = await readJsonObject(services, context);
  const owner = ownerOf(context);
  const newItems = readNewItems(items ?? [], owner, services);
  const conversation = services.store.conversations.create(owner, newItems, readMetadata(metadata) ?? {});
  return c.json(describeConversation(conversation));
}

/** `GET /v1/conversations/{id}` */
export function getConversation(c: GatewayContext, { store }: StoreServices) {
  const { owner, id } = namedBy(c);
  return c.json(describeConversation(found(store.conversations.get(owner, id), id)));
}

/** `POST /v1/conversations/{id}`: replaces its metadata. */
export async function updateConversation(c: GatewayContext, services: StoreServices) {
  const { owner, id } = namedBy(c);
  const { metadata } = await readJsonObject(services, c.get('request'));
  if (metadata === undefined) throw invalidValue('metadata', 'an object');
  const updated = services.store.conversations.update(owner, id, readMetadata(metadata) ?? {});
  return c.json(describeConversation(found(updated, id)));
}

/** `DELETE /v1/conversations/{id}`. Responses that were created in it stay, and can be continued. */
export function deleteConversation(c: GatewayContext, { store }: StoreServices) {
  const { owner, id } = namedBy(c);
  if (!store.conversations.delete(owner, id)) throw conversationNotFound(id);
  return c.json({ id, object: 'conversation.deleted', deleted: true });
}

/** `POST /v1/conversations/{id}/items`. Not while a response is generated for it, which would not have seen them. */
export async function addConversationItems(c: GatewayContext, services: StoreServices) {
  const { owner, id } = namedBy(c);
  const { items } = await readJsonObject(services, c.get('request'));
  const { conversations } = services.store;
  // Before an error about the items would show that it exists.
  found(conversations.get(owner, id), id);
  const newItems = readNewItems(items, owner, services);
  services.locks.requireFree(owner, id);
  const added = found(conversations.addItems(owner, id, newItems), id);
  return c.json(listPage(added.map(describeItem), false));
}

/** `GET /v1/conversations/{id}/items` */
export function listConversationItems(c: GatewayContext, { store }: StoreServices) {
  const { owner, id } = namedBy(c);
  const query = {
    after: readId(c, 'after'),
    limit: readLimit(c, ITEMS_PER_PAGE, MAX_ITEMS_PER_PAGE),
    order: readOrder(c),
  };
  const page = found(store.conversations.items(owner, id, query), id);
  if (page === 'unknown-after') throw unknownCursor('after', 'item');
  return c.json(listPage(page.items.map(describeItem), page.hasMore));
}

/** `GET /v1/conversations/{id}/items/{item}` */
export function getConversationItem(c: GatewayContext, { store }: StoreServices) {
  const { owner, id } = namedBy(c);
  found(store.conversations.get(owner, id), id);
  const itemId = c.req.param('item') ?? '';
  const item = store.conversations.getItem(owner, id, itemId);
  if (item === undefined) throw conversationItemNotFound(itemId, id);
  return c.json(describeItem(item));
}

/** `DELETE /v1/conversations/{id}/items/{item}`: responds with the conversation, as OpenAI does. */
export function deleteConversationItem(c: GatewayContext, { store, locks }: StoreServices) {
  const { owner, id } = namedBy(c);
  const conversation = found(store.conversations.get(owner, id), id);
  const itemId = c.req.param('item') ?? '';
  locks.requireFree(owner, id);
  if (!store.conversations.deleteItem(owner, id, itemId)) throw conversationItemNotFound(itemId, id);
  return c.json(describeConversation(conversation));
}

const namedBy = (c: GatewayContext) => ({ owner: ownerOf(c.get('request')), id: c.req.param('id') ?? '' });

function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw conversationNotFound(id);
  return value;
}

function readNewItems(value: unknown, owner: string, { store, config }: StoreServices): InputItem[] {
  return readItems('items', value, {
    most: MAX_NEW_ITEMS,
    allowRemoteMedia: config.limits.allowRemoteMedia,
    find: (id) => store.responses.findItem(owner, id),
  });
}

const describeConversation = ({ id, createdAt, metadata }: Conversation) => ({
  id,
  object: 'conversation',
  created_at: createdAt,
  metadata,
});
