import type { ServerResponse } from 'node:http';
import type { GatewayConfig } from '../config.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { Pacemaker } from '../upstream/pacemaker.ts';

export interface Paced {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  readonly response: ServerResponse;
  /** When the request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/** What keeps this request alive while it waits; undefined where nothing may be said before the answer. */
export function openPacemaker(
  { route, request, response, startedAt }: Paced,
  timeouts: GatewayConfig['timeouts'],
): Pacemaker | undefined {
  const { streamHeaders, streamKeepAlive: every, jsonKeepAlive } = timeouts;
  const { dialect } = route;
  const mayStream = route.shape !== undefined || (dialect === 'native' && route.takesSlot);
  if (request.stream && mayStream) {
    return new Pacemaker(response, { speaks: 'events', dialect, startedAt, headAfter: streamHeaders, every });
  }
  // What answers forms may be plain text, where white space counts.
  if (jsonKeepAlive === 0 || route.body !== 'json') return undefined;
  return new Pacemaker(response, { speaks: 'json', dialect, startedAt, headAfter: jsonKeepAlive, every });
}
