import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { waitFor } from './wait-for.ts';

/** What a route responded. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
}

/** A stream that is being received. */
export interface OpenStream extends AsyncDisposable {
  /** The events so far. */
  readonly events: readonly StreamEvent[];
  /** The text as received so far. */
  readonly text: string;
  /** Resolves with all events when the stream has ended, whichever way. */
  readonly ended: Promise<readonly StreamEvent[]>;
  /** Waits for an event of this type. */
  event(type: string): Promise<StreamEvent>;
  /** The id in its first event. */
  id(): Promise<string>;
}

/** A client of the Responses API that sends whatever a test says. */
export interface ResponsesClient {
  /** Sends a request, such as `GET /v1/responses/resp_0`. */
  send(request: string, json?: unknown): Promise<Answer>;
  /** Creates a response of the demo model, which must succeed. */
  create(fields: object): Promise<Answer['body']>;
  /** Opens a stream, which must succeed: a new response's, or that of a request such as `GET /v1/…?stream=true`. */
  stream(what: object | string): Promise<OpenStream>;
  /** Waits until a response has ended, and returns it. */
  untilEnded(id: string): Promise<Answer['body']>;
}

const ended = new Set(['completed', 'incomplete', 'failed', 'cancelled']);

export function responsesClient(origin: string, secret: string): ResponsesClient {
  const request = async (what: string, json?: unknown, signal?: AbortSignal) => {
    const [method = '', path = ''] = what.split(' ');
    return await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      body: json === undefined ? null : JSON.stringify(json),
      ...(signal && { signal }),
    });
  };
  const send: ResponsesClient['send'] = async (what, json) => {
    const response = await request(what, json);
    const text = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    const body = contentType.startsWith('application/json') ? JSON.parse(text) : text;
    return { status: response.status, contentType, text, body };
  };
  return {
    send,
    async create(fields) {
      const { status, text, body } = await send('POST /v1/responses', demoRequest(fields));
      if (status !== 200) throw new Error(`no response was created: ${status} ${text}`);
      return body;
    },
    async stream(what) {
      const abort = new AbortController();
      const response = await (typeof what === 'string'
        ? request(what, undefined, abort.signal)
        : request('POST /v1/responses', demoRequest({ ...what, stream: true }), abort.signal));
      if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
        throw new Error(`no stream: ${response.status} ${await response.text()}`);
      return receive(response, abort);
    },
    untilEnded: (id) =>
      waitFor(`the end of ${id}`, async () => {
        const { body } = await send(`GET /v1/responses/${id}`);
        return ended.has(body.status) ? body : undefined;
      }),
  };
}

/** A request whose answer is known. */
export const demoRequest = (fields: object) => ({ model: 'demo', temperature: 0, ...fields });

function receive(response: Response, abort: AbortController): OpenStream {
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    } catch {
      // The test or the server has closed it: what was received stands.
    }
    return parseEvents(text);
  };
  const ended = read();
  const stream: OpenStream = {
    get events() {
      return parseEvents(text.slice(0, text.lastIndexOf('\n\n') + 2));
    },
    get text() {
      return text;
    },
    ended,
    event: (type) => waitFor(`an event ${type}`, () => stream.events.find((event) => event.type === type)),
    async id() {
      const { response: created } = await stream.event('response.created');
      return (created as { id: string }).id;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended;
    },
  };
  return stream;
}

/** The text in the deltas of a stream. */
export const deltasOf = (events: readonly StreamEvent[]): string =>
  events.map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : '')).join('');

/** The text of all messages of a response. */
export const textOf = ({ output }: { output: readonly OutputItem[] }): string =>
  output
    .flatMap(({ content }) => content ?? [])
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('');

export interface OutputItem {
  readonly type?: string;
  /** Of a call. */
  readonly arguments?: string;
  readonly content?: readonly { readonly type: string; readonly text: string }[] | null;
}
