import type { GatewayConfig } from '../config.ts';
import type { ExchangeTimeouts } from '../upstream/exchange.ts';

const TEN_MINUTES = 600_000;

/** A stream that moves may go on for ever unless `REQUEST_TIMEOUT` says otherwise. Any other request has an end. */
export function exchangeLimits(stream: boolean, timeouts: GatewayConfig['timeouts']): ExchangeTimeouts {
  const { request, firstByte, streamIdle } = timeouts;
  if (stream) return { firstByteTimeout: firstByte, idleTimeout: streamIdle, totalTimeout: request ?? 0 };
  const totalTimeout = request ?? TEN_MINUTES;
  return { firstByteTimeout: 0, idleTimeout: streamIdle, totalTimeout };
}
