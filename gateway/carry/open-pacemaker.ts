import type { Place } from '../admission/admission.ts';
import type { ClientResponse } from '../client-response.ts';
import type { GatewayConfig } from '../config.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { Pacemaker } from '../upstream/pacemaker.ts';
import type { StreamVoice } from '../upstream/stream-voice.ts';

export interface Paced {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  readonly voice: StreamVoice;
  readonly response: ClientResponse;
  /** When the request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/** What keeps this request alive while it waits; undefined where nothing may be said before the answer. */
export function openPacemaker(
  { route, request, voice, response, startedAt }: Paced,
  timeouts: GatewayConfig['timeouts'],
): Pacemaker | undefined {
  const { streamHeaders, streamKeepAlive: every, jsonKeepAlive } = timeouts;
  const { dialect } = route;
  const mayStream = route.shape !== undefined || (dialect === 'native' && route.takesSlot);
  if (request.stream && mayStream) {
    return new Pacemaker(response, { speaks: 'events', voice, startedAt, headAfter: streamHeaders, every });
  }
  // What answers forms may be plain text, where white space counts.
  if (jsonKeepAlive === 0 || route.body !== 'json') return undefined;
  return new Pacemaker(response, { speaks: 'json', voice, startedAt, headAfter: jsonKeepAlive, every });
}

/** Lets a request that has to wait hear where it stands, for as long as it stands in a lane. */
export function tellPlace(pacemaker: Pacemaker | undefined): (place: () => Place) => void {
  return (placeNow) => {
    if (pacemaker === undefined) return;
    pacemaker.words = () => {
      const { place, waiting } = placeNow();
      return place === 0 ? undefined : `queued ${place} of ${waiting}`;
    };
    pacemaker.start();
  };
}
