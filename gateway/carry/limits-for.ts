import type { GatewayConfig } from '../config.ts';
import type { ExchangeLimits } from '../upstream/exchange.ts';

const TEN_MINUTES = 600_000;

/**
 * A stream that moves may go on for ever unless `REQUEST_TIMEOUT` says otherwise. Any other request shows no byte until
 * it is done, so its one limit is the time to its first byte.
 */
export function limitsFor(stream: boolean, timeouts: GatewayConfig['timeouts']): ExchangeLimits {
  const { request, firstByte, streamIdle } = timeouts;
  if (stream) return { firstByteTimeout: firstByte, idleTimeout: streamIdle, totalTimeout: request ?? 0 };
  return { firstByteTimeout: request ?? TEN_MINUTES, idleTimeout: streamIdle, totalTimeout: 0 };
}
