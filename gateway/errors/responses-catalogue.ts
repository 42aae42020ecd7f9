import { ApiError, type ApiErrorOptions } from './api-error.ts';

/** The errors of stored responses and conversations, in OpenAI's words where it has the same error. */

const error = (options: Omit<ApiErrorOptions, 'type'>) =>
  new ApiError({ ...options, type: 'invalid_request_error' });

/** Also where it belongs to another key, was deleted, or is not complete and will be stored only then. */
export const responseNotFound = (id: string) =>
  error({
    status: 404,
    code: 'response_not_found',
    param: 'response_id',
    message: `Response with id '${id}' not found.`,
  });

/** Also where it belongs to another key or was deleted. */
export const previousResponseNotFound = (id: string) =>
  error({
    status: 400,
    code: 'previous_response_not_found',
    param: 'previous_response_id',
    message: `Previous response with id '${id}' not found.`,
  });

/** A response that is continued must have ended well. */
export const previousResponseNotComplete = (id: string, status: string) =>
  error({
    status: 400,
    code: 'previous_response_not_complete',
    param: 'previous_response_id',
    message: `Previous response with id '${id}' cannot be continued: its status is '${status}'.`,
  });

/** More than any context of a model. */
export const historyTooLong = (maxBytes: number) =>
  error({
    status: 400,
    code: 'context_length_exceeded',
    message: `The history of this response has more than ${maxBytes} bytes (MAX_REQUEST_BODY_SIZE). Begin a new conversation, or ask for truncation: "auto".`,
  });

/** Also where it belongs to another key or was deleted. */
export const conversationNotFound = (id: string) =>
  error({
    status: 404,
    code: 'conversation_not_found',
    param: 'conversation',
    message: `Conversation with id '${id}' not found.`,
  });

/** Also where it belongs to another key or to another conversation. */
export const conversationItemNotFound = (id: string, conversationId: string) =>
  error({
    status: 404,
    code: 'item_not_found',
    param: 'item_id',
    message: `Item with id '${id}' not found in conversation '${conversationId}'.`,
  });

/** For a reference to a stored item in the request's input. `param` is its place, such as `input[2]`. */
export const referencedItemNotFound = (id: string, param: string) =>
  error({ status: 400, code: 'item_not_found', param, message: `Item with id '${id}' not found.` });

export const conversationLocked = () =>
  error({
    status: 400,
    code: 'conversation_locked',
    param: 'conversation',
    message: 'Another process is currently operating on this conversation. Please retry in a few seconds.',
  });

export const mutuallyExclusive = (param: string, other: string) =>
  error({
    status: 400,
    code: 'mutually_exclusive_parameters',
    param,
    message: `Mutually exclusive parameters: ensure you are only providing one of: '${other}' or '${param}'.`,
  });

export const backgroundNeedsStore = () =>
  error({
    status: 400,
    code: 'background_requires_store',
    param: 'background',
    message: "background can only be used when 'store' is true.",
  });

export const backgroundInBatch = () =>
  error({
    status: 400,
    code: 'background_not_supported',
    param: 'background',
    message: "'background' is not supported in a line of a batch, which runs in the background anyway.",
  });

export const cannotCancelSynchronous = () =>
  error({
    status: 400,
    code: 'response_not_cancellable',
    param: 'response_id',
    message: 'Cannot cancel a synchronous response.',
  });

export const cannotCancelEnded = (status: 'completed' | 'incomplete' | 'failed') =>
  error({
    status: 400,
    code: 'response_not_cancellable',
    param: 'response_id',
    message: `Cannot cancel ${status === 'incomplete' ? 'an' : 'a'} ${status} response.`,
  });

/** Its events were never stored. */
export const cannotFollowSynchronous = () =>
  error({
    status: 400,
    code: 'response_not_streamable',
    param: 'stream',
    message: 'This response cannot be streamed because it was not created with background=true.',
  });

/** `first`: the number of the first event that is still there; undefined if none is. */
export const eventsLost = (first: number | undefined) =>
  error({
    status: 400,
    code: 'events_lost',
    param: 'starting_after',
    message:
      'The events after this number are gone: the response was begun anew, or ended long ago. ' +
      (first === undefined
        ? 'Get the response without stream, or stream it without starting_after.'
        : `Stream it from the start: without starting_after, its first event is ${first}.`),
  });
