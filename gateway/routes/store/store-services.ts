import { ContentError, HistoryDeleted, StoreLimitExceeded, StoreUnavailable } from '../../../store/errors.ts';
import type { Store } from '../../../store/store.ts';
import type { GatewayConfig } from '../../config.ts';
import type { ApiError } from '../../errors/api-error.ts';
import {
  conversationNotFound,
  previousResponseNotFound,
  referencedItemNotFound,
} from '../../errors/responses-catalogue.ts';
import {
  contentUnreadable,
  diskFull,
  fileTooLarge,
  keyStorageFull,
  storeFull,
  storeUnavailable,
} from '../../errors/store-catalogue.ts';
import type { IsTrustedProxy } from '../../http/client-address.ts';
import type { BodyBudget } from '../../proxy/body-budget.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import type { LiveRequests } from '../../proxy/live-requests.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import type { ConversationLocks } from '../responses/conversation-locks.ts';
import type { StoreChanges } from '../responses/store-changes.ts';

/** What the routes of files and batches need. */
export interface StoreServices {
  /** Throws StoreUnavailable while it cannot be opened. */
  readonly store: Store;
  readonly locks: ConversationLocks;
  /** Notifies when the runner has stored something. */
  readonly changes: StoreChanges;
  readonly maxFileSize: number;
  readonly maxBatchesPerKey: number;
  readonly config: GatewayConfig;
  readonly liveRequests: LiveRequests;
  readonly bodyBudget: BodyBudget;
  readonly isTrusted: IsTrustedProxy;
}

/** Handles a request to one of the routes of files and batches. */
export type StoreHandler = (c: GatewayContext, services: StoreServices) => Response | Promise<Response>;

/** Whose files and batches a request may see; all requests share them where no key is required. */
export const ownerOf = ({ key }: RequestContext): string => key?.id ?? '';

/** How long the disk may need to recover before it makes sense to try again, ms. */
const RETRY_MS = 30_000;

const phrases: Readonly<Record<StoreUnavailable['reason'], string>> = {
  'disk-full': 'the disk is full',
  'read-only': 'the disk is read-only',
  'no-permission': 'the server may not write to its data directory',
  busy: 'the database is busy',
  'io-error': 'the disk has failed',
  damaged: 'the database is damaged',
};

/** The error of the API for one of the store. Other errors stay as they are. */
export function toApiError(error: unknown): unknown {
  if (error instanceof StoreLimitExceeded) {
    const { limit, bytes } = error;
    return { file: fileTooLarge, key: keyStorageFull, store: storeFull }[limit](bytes);
  }
  if (error instanceof StoreUnavailable) {
    const { reason } = error;
    return reason === 'disk-full' ? diskFull(error) : storeUnavailable(RETRY_MS, phrases[reason], error);
  }
  if (error instanceof HistoryDeleted) return historyDeleted(error);
  return error instanceof ContentError ? contentUnreadable(error) : error;
}

/** It was there when the request arrived. */
function historyDeleted({ id }: HistoryDeleted): ApiError {
  if (id.startsWith('conv_')) return conversationNotFound(id);
  return id.startsWith('resp_') ? previousResponseNotFound(id) : referencedItemNotFound(id, 'input');
}
