import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { cancelBatch, createBatch, getBatch, listBatches } from './batches.ts';
import {
  addConversationItems,
  createConversation,
  deleteConversation,
  deleteConversationItem,
  getConversation,
  getConversationItem,
  listConversationItems,
  updateConversation,
} from './conversations.ts';
import { deleteFile, getFile, getFileContent, listFiles } from './files.ts';
import {
  cancelMessageBatch,
  createMessageBatch,
  deleteMessageBatch,
  getMessageBatch,
  getMessageResults,
  listMessageBatches,
} from './message-batches.ts';
import { cancelResponse, deleteResponse, getResponse, listInputItems } from './responses.ts';
import { type StoreHandler, type StoreServices, toApiError } from './store-services.ts';
import { uploadFile } from './upload-file.ts';

const handlers = {
  ...{ uploadFile, listFiles, getFile, deleteFile, getFileContent },
  ...{ createBatch, listBatches, getBatch, cancelBatch },
  ...{ createMessageBatch, listMessageBatches, getMessageBatch, cancelMessageBatch },
  ...{ deleteMessageBatch, getMessageResults },
  ...{ getResponse, deleteResponse, listInputItems, cancelResponse },
  ...{ createConversation, getConversation, updateConversation, deleteConversation },
  ...{ addConversationItems, listConversationItems, getConversationItem, deleteConversationItem },
} satisfies Record<string, StoreHandler>;

/** The handlers of files, batches, stored responses and conversations, for the routes of gateway/app.ts. */
export type StoreRoutes = Readonly<Record<keyof typeof handlers, (c: GatewayContext) => Promise<Response>>>;

export function createStoreRoutes(services: StoreServices): StoreRoutes {
  const bind = (handle: StoreHandler) => async (c: GatewayContext) => {
    try {
      return await handle(c, services);
    } catch (error) {
      throw toApiError(error);
    }
  };
  const entries = Object.entries(handlers).map(([name, handle]) => [name, bind(handle)]);
  return Object.fromEntries(entries);
}
