import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { headerFieldsTooLarge, malformedRequest, uriTooLong } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

export interface HeaderLimits {
  readonly maxHeaders: number;
  readonly maxHeaderLineBytes: number;
  readonly maxRequestLineBytes: number;
}

const METHOD_AND_VERSION = ' '.length + ' HTTP/1.1'.length;
const COLON_AND_SPACE = 2;

/** RFC 9112, section 3.2: exactly one Host, optional in HTTP/1.0. Node would use the first of several. */
function hasValidHost({ httpVersion }: IncomingMessage, hosts: number): boolean {
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && (httpVersion === '1.1' || httpVersion === '1.0');
}

const isHost = (name: string) => name.length === 4 && name.toLowerCase() === 'host';

/** Limits the request line, each header line and the number of headers; Node's parser limits only their sum. */
export function limitHeaders(limits: HeaderLimits): MiddlewareHandler<GatewayEnv> {
  return async function limitHeaders(c, next) {
    const { method = '', url = '', rawHeaders } = c.env.incoming;
    if (method.length + url.length + METHOD_AND_VERSION > limits.maxRequestLineBytes) {
      throw uriTooLong(limits.maxRequestLineBytes);
    }
    if (rawHeaders.length / 2 > limits.maxHeaders) throw headerFieldsTooLarge();
    let hosts = 0;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const line = name.length + COLON_AND_SPACE + (rawHeaders[i + 1]?.length ?? 0);
      if (line > limits.maxHeaderLineBytes) throw headerFieldsTooLarge();
      if (isHost(name)) hosts += 1;
    }
    if (!hasValidHost(c.env.incoming, hosts)) throw malformedRequest();
    return next();
  };
}
