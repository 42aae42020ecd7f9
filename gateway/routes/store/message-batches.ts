import { createHash } from 'node:crypto';
import { type Batch, hasEnded } from '../../../store/batch.ts';
import { fromMessageBatchId, toMessageBatchId } from '../../../store/ids.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import {
  batchLimitExceeded,
  batchNotDeletable,
  batchNotFound,
  fileNotFound,
  idempotencyKeyReused,
  resultsNotReady,
} from '../../errors/store-catalogue.ts';
import { getPublicOrigin } from '../../http/client-address.ts';
import type { GatewayContext } from '../../proxy/gateway-context.ts';
import { readIdempotencyKey } from './batch-request.ts';
import { requireCancelled } from './batches.ts';
import { describeMessageBatch } from './message-batch-object.ts';
import { MessageLines } from './message-lines.ts';
import { toMessageResults } from './message-results.ts';
import { readId, readLimit, unknownCursor } from './page-query.ts';
import { receiveBody } from './receive-body.ts';
import { sendContent } from './send-content.ts';
import { RequestSplitter } from './split-requests.ts';
import { ownerOf, type StoreServices } from './store-services.ts';

const [BATCHES_PER_PAGE, MAX_BATCHES_PER_PAGE] = [20, 1000];

/** `POST /v1/messages/batches`: its requests become the lines of an input file as they arrive. */
export async function createMessageBatch(c: GatewayContext, services: StoreServices) {
  const { store, config } = services;
  const context = c.get('request');
  const owner = ownerOf(context);
  const idempotencyKey = readIdempotencyKey(context.incoming);
  const digest = createHash('sha256');
  const createFrom = (inputFileId: string, lines: number) => {
    const created = store.batches.create({
      ...{ owner, user: context.record.user, dialect: 'anthropic', endpoint: '/v1/messages' },
      ...{ inputFileId, metadata: null, outputExpiresAfter: null, lines },
      ...{ idempotencyKey, requestDigest: digest.digest('hex') },
    });
    if (created === 'too-many') throw batchLimitExceeded(services.maxBatchesPerKey);
    if (typeof created !== 'object') throw idempotencyKeyReused();
    return created;
  };
  return receiveBody(services, context, 'application/json', async (body) => {
    if (idempotencyKey !== undefined && store.batches.hasIdempotencyKey(owner, idempotencyKey)) {
      // Nothing is stored: there may be no room for a second time.
      for await (const chunk of body) digest.update(chunk);
      return c.json(describe(services, c, createFrom('', 0).batch));
    }
    await using writer = await store.files.create({
      ...{ owner, filename: 'messages.jsonl', purpose: 'batch', expiresAt: null },
    });
    const splitter = new RequestSplitter(config.limits.maxBodyBytes);
    const lines = new MessageLines(config.limits.maxBodyBytes);
    for await (const chunk of body) {
      digest.update(chunk);
      let text = '';
      for (const request of splitter.push(chunk)) text += lines.toLine(request);
      if (text !== '') await writer.write(Buffer.from(text));
    }
    splitter.end();
    if (lines.count === 0) throw invalidValue('requests', 'at least one request', []);
    const file = await writer.commit();
    let isUsed = false;
    try {
      const created = createFrom(file.id, lines.count);
      isUsed = created.created;
      return c.json(describe(services, c, created.batch));
    } finally {
      if (!isUsed) store.files.delete(owner, file.id);
    }
  });
}

/** `GET /v1/messages/batches`: newest first. */
export function listMessageBatches(c: GatewayContext, services: StoreServices) {
  const [before, after] = [readBatchId(c, 'before_id'), readBatchId(c, 'after_id')];
  if (before !== undefined && after !== undefined)
    throw invalidValue('before_id', 'only one of before_id and after_id');
  const page = services.store.batches.list(ownerOf(c.get('request')), {
    ...{ before, after, dialect: 'anthropic' },
    limit: readLimit(c, BATCHES_PER_PAGE, MAX_BATCHES_PER_PAGE),
  });
  if (page === 'unknown-after') throw unknownCursor(before === undefined ? 'after_id' : 'before_id', 'batch');
  const data = page.batches.map((batch) => describe(services, c, batch));
  const [first_id, last_id] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
  return c.json({ data, has_more: page.hasMore, first_id, last_id });
}

/** `GET /v1/messages/batches/{id}` */
export function getMessageBatch(c: GatewayContext, services: StoreServices) {
  return c.json(describe(services, c, findBatch(services, c)));
}

/** `POST /v1/messages/batches/{id}/cancel` */
export function cancelMessageBatch(c: GatewayContext, services: StoreServices) {
  const { id } = findBatch(services, c);
  const batch = services.store.batches.requestCancel(ownerOf(c.get('request')), id);
  if (batch === undefined) throw batchNotFound(toMessageBatchId(id));
  requireCancelled(batch, toMessageBatchId(id));
  return c.json(describe(services, c, batch));
}

/** `DELETE /v1/messages/batches/{id}`: with its requests and results. */
export function deleteMessageBatch(c: GatewayContext, services: StoreServices) {
  const batch = findBatch(services, c);
  const id = toMessageBatchId(batch.id);
  if (!hasEnded(batch.status)) throw batchNotDeletable(id);
  services.store.batches.delete(ownerOf(c.get('request')), batch.id);
  return c.json({ id, type: 'message_batch_deleted' });
}

/** `GET /v1/messages/batches/{id}/results` */
export function getMessageResults(c: GatewayContext, services: StoreServices) {
  const context = c.get('request');
  const { files } = services.store;
  const batch = findBatch(services, c);
  if (!hasEnded(batch.status)) throw resultsNotReady(toMessageBatchId(batch.id));
  const ids = [batch.outputFileId, batch.errorFileId].filter((id) => id !== null);
  // A part of them would look like all.
  const gone = ids.find((id) => files.get(ownerOf(context), id) === undefined);
  if (gone !== undefined) throw fileNotFound(gone, 'id');
  const results = ids.map((id) => files.read(id));
  const headers = { 'content-type': 'application/x-jsonl', 'x-content-type-options': 'nosniff' };
  return sendContent(services, context, { status: 200, headers }, toMessageResults(results));
}

function describe({ isTrusted }: StoreServices, c: GatewayContext, batch: Batch) {
  const { scheme, host } = getPublicOrigin(c.env.incoming, isTrusted);
  // Without a host, which HTTP/1.0 allows, the address is relative.
  return describeMessageBatch(batch, host === undefined ? '' : `${scheme}://${host}`);
}

/** Batches of `/v1/batches` have no results that Anthropic's clients understand. */
function findBatch({ store }: StoreServices, c: GatewayContext): Batch {
  const given = c.req.param('id') ?? '';
  const id = fromMessageBatchId(given);
  const batch = id === undefined ? undefined : store.batches.get(ownerOf(c.get('request')), id);
  if (batch?.dialect !== 'anthropic') throw batchNotFound(given);
  return batch;
}

/** An id of a message batch in the query, as the store has it. */
function readBatchId(c: GatewayContext, name: string): string | undefined {
  const id = readId(c, name);
  return id === undefined ? undefined : (fromMessageBatchId(id) ?? id);
}
