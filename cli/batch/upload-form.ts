import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Gateway, unreachable } from '../gateway-client.ts';
import { UsageError } from '../run-command.ts';

/** Called as a file is sent: the bytes so far, and all of them. */
export type OnUploaded = (bytes: number, total: number) => void;

/**
 * Uploads an input file of a batch. It is read while it is sent, so memory does not grow with it: `fetch` would hold all
 * of it. Resolves with any response. Throws a GatewayUnreachable with the fix.
 */
export async function uploadForm(
  { origin, apiKey }: Gateway,
  path: string,
  onUploaded: OnUploaded,
): Promise<Response> {
  const size = await inputSize(path);
  const boundary = `corral-${randomUUID()}`;
  const [head, tail] = [formHead(boundary, basename(path)), `\r\n--${boundary}--\r\n`];
  const request = (origin.startsWith('https:') ? httpsRequest : httpRequest)(`${origin}/v1/files`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': Buffer.byteLength(head) + size + tail.length,
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
  });
  // A response may arrive before all is sent, such as 413. If there is none, the request emits the error.
  const responded = once(request, 'response') as Promise<[IncomingMessage]>;
  pipeline(pieces(path, { head, tail, size, onUploaded }), request).catch(() => {});
  try {
    const [response] = await responded;
    return new Response(await text(response), { status: response.statusCode ?? 500 });
  } catch (error) {
    throw error instanceof UsageError ? error : unreachable(origin, error as Error);
  } finally {
    request.destroy();
  }
}

interface Form {
  readonly head: string;
  readonly tail: string;
  readonly size: number;
  readonly onUploaded: OnUploaded;
}

/** Exactly as many bytes as were announced, even if the file grows meanwhile. */
async function* pieces(path: string, { head, tail, size, onUploaded }: Form): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head);
  let bytes = 0;
  if (size > 0) {
    for await (const piece of createReadStream(path, { end: size - 1 })) {
      yield piece;
      bytes += piece.length;
      onUploaded(bytes, size);
    }
  }
  if (bytes < size) throw new UsageError(`${path} became shorter while it was read`);
  yield Buffer.from(tail);
}

const formHead = (boundary: string, filename: string) =>
  [
    `--${boundary}`,
    'content-disposition: form-data; name="purpose"',
    '',
    'batch',
    `--${boundary}`,
    `content-disposition: form-data; name="file"; filename="${escapeName(filename)}"`,
    'content-type: application/jsonl',
    '',
    '',
  ].join('\r\n');

/** As browsers do it. */
const escapeName = (name: string) =>
  name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** Throws a UsageError for anything but a file. */
export async function inputSize(path: string): Promise<number> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${error.code})`);
  });
  if (!stats.isFile()) throw new UsageError(`${path} is not a file`);
  return stats.size;
}
