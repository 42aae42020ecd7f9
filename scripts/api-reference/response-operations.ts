import { errorGroups } from './error-examples.ts';
import type { Operation } from './operation.ts';
import * as shapes from './shapes/conversations.ts';
import { responseEvent, storedResponse } from './shapes/responses.ts';

const text = { type: 'string' };
const errors = [...errorGroups.stored, 'contentUnreadable'] as const;
const common = { tag: 'Stored responses', scope: 'inference', style: 'plain', errors } as const;

const pathParameter = (name: string, what: string) =>
  ({ name, in: 'path', description: `The id of ${what}.`, schema: text }) as const;
const queryParameter = (name: string, description: string, schema: object = text) =>
  ({ name, in: 'query', description, schema }) as const;

const include = queryParameter('include', 'Accepted; the items are complete in any case.');
const page = [
  queryParameter('after', 'The id of the item before the first one.'),
  queryParameter('limit', 'Items of a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  queryParameter('order', 'By their place.', { enum: ['asc', 'desc'], default: 'desc' }),
  include,
];

const ok = (description: string, name: string, schema: (typeof shapes)[keyof typeof shapes]) =>
  [{ status: 200, description, json: { name, schema } }] as const;

const at = (path: string) => ({ path: `/v1${path}`, alsoAt: [path] });
const [responsePath, conversationPath] = ['/responses/{id}', '/conversations/{id}'];
const response = pathParameter('id', 'a response');
const conversation = pathParameter('id', 'a conversation');
const item = pathParameter('item', 'an item');

const responseOperations: readonly Operation[] = [
  {
    ...{ ...common, ...at(responsePath), method: 'get', id: 'getResponse' },
    summary: 'Get a stored response, or follow its events',
    description:
      'A response that is not created in the background is stored when it is complete. With `stream=true`, the events of one that is created in the background: all, or those behind `starting_after`, until its end.',
    parameters: [
      response,
      queryParameter('stream', 'Whether to send its events.', { type: 'boolean', default: false }),
      queryParameter('starting_after', 'The number of the event before the first one.', {
        type: 'integer',
        minimum: 0,
      }),
      include,
    ],
    responses: [
      {
        status: 200,
        description: 'The response; with `stream=true`, its events.',
        json: { name: 'StoredResponse', schema: storedResponse },
        event: { name: 'ResponseEvent', schema: responseEvent },
      },
    ],
    errors: [...errors, 'invalidValue', 'responseNotFound', 'cannotFollowSynchronous', 'eventsLost'],
  },
  {
    ...{ ...common, ...at(responsePath), method: 'delete', id: 'deleteResponse' },
    summary: 'Delete a stored response',
    description: 'Responses that continue it stay whole.',
    parameters: [response],
    responses: ok('Deleted.', 'DeletedResponse', shapes.deletedResponse),
    errors: [...errors, 'responseNotFound'],
  },
  {
    ...{ ...common, ...at(`${responsePath}/input_items`), method: 'get', id: 'listInputItems' },
    summary: 'List the input items of a stored response',
    description: 'All that the model got: what the request continued, then what it sent.',
    parameters: [response, ...page],
    responses: ok('A page of items.', 'ItemList', shapes.itemList),
    errors: [...errors, 'invalidValue', 'responseNotFound'],
  },
  {
    ...{ ...common, ...at(`${responsePath}/cancel`), method: 'post', id: 'cancelResponse' },
    summary: 'Cancel a response that was created in the background',
    description: 'May be repeated.',
    parameters: [response],
    responses: [
      {
        status: 200,
        description: 'The response, which is `cancelled`.',
        json: { name: 'StoredResponse', schema: storedResponse },
      },
    ],
    errors: [...errors, 'responseNotFound', 'cannotCancelSynchronous', 'cannotCancelEnded'],
  },
];

const ofBody = [
  ...['requestTimeout', 'payloadTooLarge', 'invalidJson', 'invalidValue', 'bodyMemoryFull'],
  ...['keyBodyMemoryFull', 'draining'],
] as const satisfies readonly string[];
const ofItems = [
  ...[...ofBody, 'unsupportedValue', 'remoteMediaNotAllowed', 'referencedItemNotFound'],
  ...['keyStorageFull', 'storeFull'],
] as const satisfies readonly string[];
const hello = [{ type: 'message', role: 'user', content: 'Hello' }];

const conversationOperations: readonly Operation[] = [
  {
    ...{ ...common, ...at('/conversations'), method: 'post', id: 'createConversation', style: 'counted' },
    summary: 'Create a conversation',
    description: 'Counts in the requests per minute of the key.',
    body: {
      json: { name: 'ConversationRequest', schema: shapes.conversationRequest },
      example: { items: hello, metadata: { topic: 'llamas' } },
      isOptional: true,
    },
    responses: ok('The conversation.', 'Conversation', shapes.conversation),
    errors: [...errors, ...ofItems, 'rateLimitExceeded'],
  },
  {
    ...{ ...common, ...at(conversationPath), method: 'get', id: 'getConversation' },
    summary: 'Get a conversation without its items',
    parameters: [conversation],
    responses: ok('The conversation.', 'Conversation', shapes.conversation),
    errors: [...errors, 'conversationNotFound'],
  },
  {
    ...{ ...common, ...at(conversationPath), method: 'post', id: 'updateConversation' },
    summary: 'Replace the metadata of a conversation',
    parameters: [conversation],
    body: {
      json: { name: 'ConversationUpdate', schema: shapes.conversationUpdate },
      example: { metadata: { topic: 'alpacas' } },
    },
    responses: ok('The conversation.', 'Conversation', shapes.conversation),
    errors: [...errors, ...ofBody, 'conversationNotFound', 'keyStorageFull', 'storeFull'],
  },
  {
    ...{ ...common, ...at(conversationPath), method: 'delete', id: 'deleteConversation' },
    summary: 'Delete a conversation',
    description: 'Responses that were created in it stay.',
    parameters: [conversation],
    responses: ok('Deleted.', 'DeletedConversation', shapes.deletedConversation),
    errors: [...errors, 'conversationNotFound'],
  },
  {
    ...{ ...common, ...at(`${conversationPath}/items`), method: 'post', id: 'addConversationItems' },
    summary: 'Add items to the end of a conversation',
    parameters: [conversation, include],
    body: {
      json: { name: 'NewItems', schema: shapes.newItems },
      example: { items: hello },
    },
    responses: ok('The new items.', 'ItemList', shapes.itemList),
    errors: [...errors, ...ofItems, 'conversationNotFound', 'conversationLocked'],
  },
  {
    ...{ ...common, ...at(`${conversationPath}/items`), method: 'get', id: 'listConversationItems' },
    summary: 'List the items of a conversation',
    parameters: [conversation, ...page],
    responses: ok('A page of items.', 'ItemList', shapes.itemList),
    errors: [...errors, 'invalidValue', 'conversationNotFound'],
  },
  {
    ...{ ...common, ...at(`${conversationPath}/items/{item}`), method: 'get', id: 'getConversationItem' },
    summary: 'Get an item of a conversation',
    parameters: [conversation, item, include],
    responses: ok('The item.', 'ConversationItem', shapes.conversationItem),
    errors: [...errors, 'conversationNotFound', 'conversationItemNotFound'],
  },
  {
    ...{
      ...common,
      ...at(`${conversationPath}/items/{item}`),
      method: 'delete',
      id: 'deleteConversationItem',
    },
    summary: 'Remove an item from a conversation',
    parameters: [conversation, item],
    responses: ok('The conversation.', 'Conversation', shapes.conversation),
    errors: [...errors, 'conversationNotFound', 'conversationItemNotFound', 'conversationLocked'],
  },
];

/** Stored responses and conversations, with `STORE=on`. */
export const storedResponseOperations: readonly Operation[] = [
  ...responseOperations,
  ...conversationOperations,
];
