import type { ApiRequest } from '../api/parse-request-body.ts';
import type { StreamFormatter } from '../api/response-format.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { QueuePosition } from '../scheduler/scheduler.ts';
import { KeepAlive } from '../upstream/keep-alive.ts';

export interface KeepAliveContext {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  readonly formatter: StreamFormatter;
  readonly response: ClientResponse;
  /** When the request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/** What keeps this request alive while it waits; undefined where nothing may be said before the answer. */
export function createKeepAlive(
  { route, request, formatter, response, startedAt }: KeepAliveContext,
  timeouts: GatewayConfig['timeouts'],
): KeepAlive | undefined {
  const { streamHeaders, streamKeepAlive: every, jsonKeepAlive } = timeouts;
  const { dialect } = route;
  const mayStream = route.shape !== undefined || (dialect === 'native' && route.takesSlot);
  if (request.stream && mayStream) {
    return new KeepAlive(response, {
      format: 'events',
      formatter,
      startedAt,
      headersAfter: streamHeaders,
      interval: every,
    });
  }
  // What answers forms may be plain text, where white space counts.
  if (jsonKeepAlive === 0 || route.body !== 'json') return undefined;
  return new KeepAlive(response, {
    format: 'json',
    formatter,
    startedAt,
    headersAfter: jsonKeepAlive,
    interval: every,
  });
}

/** Lets a request that has to wait hear where it stands, for as long as it stands in a lane. */
export function reportQueuePosition(pacemaker: KeepAlive | undefined): (place: () => QueuePosition) => void {
  return (placeNow) => {
    if (pacemaker === undefined) return;
    pacemaker.comment = () => {
      const { position, waiting } = placeNow();
      return position === 0 ? undefined : `queued ${position} of ${waiting}`;
    };
    pacemaker.start();
  };
}
