import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { cancelBatch, createBatch, getBatch, listBatches } from './batches.ts';
import { deleteFile, getFile, getFileContent, listFiles } from './files.ts';
import {
  cancelMessageBatch,
  createMessageBatch,
  deleteMessageBatch,
  getMessageBatch,
  getMessageResults,
  listMessageBatches,
} from './message-batches.ts';
import { type StoreHandler, type StoreServices, toApiError } from './store-services.ts';
import { uploadFile } from './upload-file.ts';

const handlers = {
  ...{ uploadFile, listFiles, getFile, deleteFile, getFileContent },
  ...{ createBatch, listBatches, getBatch, cancelBatch },
  ...{ createMessageBatch, listMessageBatches, getMessageBatch, cancelMessageBatch },
  ...{ deleteMessageBatch, getMessageResults },
} satisfies Record<string, StoreHandler>;

/** The handlers of files and batches, for the routes of gateway/app.ts. */
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
