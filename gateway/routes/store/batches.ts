import { type Batch, hasEnded } from '../../../store/batch.ts';
import { isJsonObject } from '../../api/json.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import {
  batchLimitExceeded,
  batchNotCancellable,
  batchNotFound,
  fileNotFound,
  idempotencyKeyReused,
} from '../../errors/store-catalogue.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { readJson } from '../read-json.ts';
import { describeBatch } from './batch-object.ts';
import { digestOf, readBatchRequest, readIdempotencyKey } from './batch-request.ts';
import { listPage, readId, readLimit, unknownCursor } from './page-query.ts';
import { ownerOf, type StoreServices } from './store-services.ts';

const EXPECTED =
  'an object such as {"input_file_id":"file-…","endpoint":"/v1/chat/completions","completion_window":"24h"}';
const [BATCHES_PER_PAGE, MAX_BATCHES_PER_PAGE] = [20, 100];

/** `POST /v1/batches`. What is wrong with the lines of its file shows only later: the batch turns `failed`. */
export async function createBatch(c: GatewayContext, { store, config, maxBatchesPerKey }: StoreServices) {
  const context = c.get('request');
  const fields = await readJson(context.incoming, config.timeouts.clientBody, EXPECTED);
  if (!isJsonObject(fields)) throw invalidValue('body', EXPECTED);
  const request = readBatchRequest(fields);
  const owner = ownerOf(context);
  const { inputFileId } = request;
  const file = store.files.get(owner, inputFileId);
  if (file !== undefined && file.purpose !== 'batch')
    throw invalidValue('input_file_id', 'a file that was uploaded with the purpose "batch"');
  const created = store.batches.create({
    ...request,
    owner,
    user: context.record.user,
    dialect: 'openai',
    idempotencyKey: readIdempotencyKey(context.incoming),
    requestDigest: digestOf(request),
  });
  if (created === 'unknown-file') throw fileNotFound(inputFileId, 'input_file_id');
  if (created === 'idempotency-conflict') throw idempotencyKeyReused();
  if (created === 'too-many') throw batchLimitExceeded(maxBatchesPerKey);
  return c.json(describeBatch(created.batch));
}

/** `GET /v1/batches`: newest first, those of `/v1/messages/batches` too. */
export function listBatches(c: GatewayContext, { store }: StoreServices) {
  const limit = readLimit(c, BATCHES_PER_PAGE, MAX_BATCHES_PER_PAGE);
  const page = store.batches.list(ownerOf(c.get('request')), { after: readId(c, 'after'), limit });
  if (page === 'unknown-after') throw unknownCursor('after', 'batch');
  return c.json(listPage(page.batches.map(describeBatch), page.hasMore));
}

/** `GET /v1/batches/{id}` */
export function getBatch(c: GatewayContext, { store }: StoreServices) {
  const id = c.req.param('id') ?? '';
  const batch = store.batches.get(ownerOf(c.get('request')), id);
  if (batch === undefined) throw batchNotFound(id);
  return c.json(describeBatch(batch));
}

/** `POST /v1/batches/{id}/cancel`. What is done is kept. */
export function cancelBatch(c: GatewayContext, { store }: StoreServices) {
  const id = c.req.param('id') ?? '';
  const batch = store.batches.requestCancel(ownerOf(c.get('request')), id);
  if (batch === undefined) throw batchNotFound(id);
  requireCancelled(batch, id);
  return c.json(describeBatch(batch));
}

/** A second cancel is no mistake; one after another end is. */
export function requireCancelled({ status }: Batch, id: string): void {
  if (hasEnded(status) && status !== 'cancelled') throw batchNotCancellable(id, status);
}
