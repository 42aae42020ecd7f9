import type { IncomingMessage } from 'node:http';
import { userId } from '../../keys/users.ts';
import type { RequestContext } from '../proxy/request-context.ts';

/** Finds out which of the users of its key a request comes from, by the header with which the key tells them apart. */
export function identifyUser({ incoming, record, key }: RequestContext, header: string): void {
  const value = singleHeader(incoming, header.toLowerCase());
  if (key !== undefined && value !== undefined) record.user = userId(key.id, value);
}

/**
 * The bytes of a header that is there exactly once; Node joins the values of several, and a client could then pass for another
 * user by adding a header to those of its proxy. `name` is in lower case.
 */
function singleHeader({ headers, rawHeaders }: IncomingMessage, name: string): Buffer | undefined {
  const value = headers[name];
  if (typeof value !== 'string') return undefined;
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) count += 1;
  // Node reads the bytes of headers as Latin-1.
  return count === 1 ? Buffer.from(value, 'latin1') : undefined;
}
