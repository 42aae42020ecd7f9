import { violations, type WireResponse } from './violations.ts';

/** A `fetch` for clients, and what came through it. */
export interface RecordedTraffic {
  readonly fetch: typeof globalThis.fetch;
  readonly answers: readonly WireResponse[];
  readonly last: WireResponse;
  /** The objects in the `data:` lines of the last answer. */
  readonly events: readonly unknown[];
  /** What was wrong with the answers so far, against the strict schemas; empty where all is well. */
  readonly violations: readonly string[];
}

/** Lets a client talk as it likes and keeps every answer to the byte, so that the schemas can judge it. */
export function recordTraffic(): RecordedTraffic {
  const answers: Answer[] = [];
  const wire: RecordedTraffic = {
    async fetch(input, init) {
      const response = await fetch(input, init);
      const answer = openAnswer(response);
      answers.push(answer);
      if (!response.body) return response;
      const { status, statusText, headers } = response;
      return new Response(response.body.pipeThrough(keep(answer)), { status, statusText, headers });
    },
    answers,
    get last() {
      const last = answers.at(-1);
      if (!last) throw new Error('nothing came over the wire');
      return last;
    },
    get events() {
      return [...wire.last.text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    },
    get violations() {
      return answers.flatMap(violations);
    },
  };
  return wire;
}

type Answer = { -readonly [K in keyof WireResponse]: WireResponse[K] };

function openAnswer({ url, status, headers }: Response): Answer {
  return {
    path: new URL(url).pathname,
    status,
    contentType: headers.get('content-type') ?? '',
    requestId: headers.get('x-request-id'),
    text: '',
    ended: false,
  };
}

function keep(answer: Answer): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return new TransformStream({
    transform(bytes, controller) {
      answer.text += decoder.decode(bytes, { stream: true });
      controller.enqueue(bytes);
    },
    flush() {
      answer.text += decoder.decode();
      answer.ended = true;
    },
  });
}
