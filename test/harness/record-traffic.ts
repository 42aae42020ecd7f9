import { violations, type WireResponse } from './violations.ts';

/** A `fetch` for clients that records their responses. */
export interface RecordedTraffic {
  readonly fetch: typeof globalThis.fetch;
  readonly responses: readonly WireResponse[];
  readonly last: WireResponse;
  /** The objects in the `data:` lines of the last response. */
  readonly events: readonly unknown[];
  /** How the responses so far violate the strict schemas; empty if they do not. */
  readonly violations: readonly string[];
}

/** Passes the requests of a client on and keeps every response byte for byte, so that schemas can check it. */
export function recordTraffic(): RecordedTraffic {
  const responses: RecordedResponse[] = [];
  const traffic: RecordedTraffic = {
    async fetch(input, init) {
      const response = await fetch(input, init);
      const recorded = startRecord(response);
      responses.push(recorded);
      if (!response.body) return response;
      const { status, statusText, headers } = response;
      return new Response(response.body.pipeThrough(record(recorded)), { status, statusText, headers });
    },
    responses,
    get last() {
      const last = responses.at(-1);
      if (!last) throw new Error('there was no response');
      return last;
    },
    get events() {
      return [...traffic.last.text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    },
    get violations() {
      return responses.flatMap(violations);
    },
  };
  return traffic;
}

type RecordedResponse = { -readonly [K in keyof WireResponse]: WireResponse[K] };

function startRecord({ url, status, headers }: Response): RecordedResponse {
  return {
    path: new URL(url).pathname,
    status,
    contentType: headers.get('content-type') ?? '',
    requestId: headers.get('x-request-id'),
    text: '',
    ended: false,
  };
}

function record(recorded: RecordedResponse): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return new TransformStream({
    transform(bytes, controller) {
      recorded.text += decoder.decode(bytes, { stream: true });
      controller.enqueue(bytes);
    },
    flush() {
      recorded.text += decoder.decode();
      recorded.ended = true;
    },
  });
}
