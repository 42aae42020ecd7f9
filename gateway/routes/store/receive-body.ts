import type { IncomingMessage } from 'node:http';
import { lengthRequired, unsupportedEncoding, unsupportedMediaType } from '../../errors/catalogue.ts';
import { fileTooLarge } from '../../errors/store-catalogue.ts';
import { bodyOwner } from '../../proxy/body-budget.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import { readPaced } from './paced-body.ts';
import type { StoreServices } from './store-services.ts';

/** What an upload holds in memory at most: chunks on their way to the disk, and the buffers of its connection. */
const MEMORY_OF_UPLOAD = 512 * 1024;

/** Bytes of a form beside its file: fields, boundaries, headers of parts. */
const FORM_OVERHEAD = 64 * 1024;

/**
 * Passes the chunks of a large body to `use`, while the request is listed as one in progress. Rejects it before its first
 * byte if it is of another type, announces too much, or if too many uploads are in progress.
 */
export async function receiveBody<T>(
  services: StoreServices,
  context: RequestContext,
  type: 'multipart/form-data' | 'application/json',
  use: (body: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const { config, bodyBudget, liveRequests, maxFileSize } = services;
  const { incoming, controller } = context;
  checkHeaders(incoming, type, maxFileSize);
  using allocation = bodyBudget.open(bodyOwner(context));
  const { total, perOwner, perUser } = config.limits.bodies;
  const error = allocation.allocate(Math.min(MEMORY_OF_UPLOAD, total, perOwner, perUser));
  if (error !== undefined) throw error;
  using _ = liveRequests.add(context);
  const body = readPaced(incoming, {
    idleTimeout: config.timeouts.clientBody,
    minRate: config.limits.minBodyRate,
    signal: controller.signal,
    shutdown: allocation.shutdown,
  });
  return await use(body);
}

function checkHeaders({ headers }: IncomingMessage, type: string, maxFileSize: number): void {
  const given = headers['content-type'];
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!given?.toLowerCase().startsWith(type)) throw unsupportedMediaType(given ?? 'none', type);
  if (encoding.toLowerCase() !== 'identity') throw unsupportedEncoding(encoding);
  const announced = headers['content-length'];
  if (announced === undefined && headers['transfer-encoding'] === undefined) throw lengthRequired();
  if (Number(announced ?? 0) > maxFileSize + FORM_OVERHEAD) throw fileTooLarge(maxFileSize);
}
