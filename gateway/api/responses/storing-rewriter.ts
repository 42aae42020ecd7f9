import type { JsonObject } from '../../../json/json-object.ts';
import { formatEvent, mapEvents } from '../../../sse/sse.ts';
import { ApiError } from '../../errors/api-error.ts';
import { isJsonObject, parseJsonObject } from '../json.ts';
import type { ResponseRewriter } from '../response-format.ts';
import type { ResponseObject } from './response-object.ts';
import type { ResponsesApiRewriter } from './rewriter.ts';

/** Returns false if the response is sent and not kept; throws the ApiError that is sent instead of the response. */
export type SaveResponse = (response: JsonObject) => boolean;

/** The names of the last events of a response that is kept. Text cannot contain them: in JSON its line ends are escaped. */
const lastEvents = ['completed', 'incomplete'].map((status) => Buffer.from(`event: response.${status}\n`));

/**
 * Stores a response before its end is sent: what a client has received can be read, also after a crash. It sees the
 * response as its client does, so it is the outermost rewriter.
 */
export class StoringRewriter implements ResponseRewriter {
  readonly #inner: ResponseRewriter;
  readonly #numbered: ResponsesApiRewriter;
  readonly #save: SaveResponse;

  /** `numbered` numbers the events of the stream, one of which may become an error. */
  constructor(inner: ResponseRewriter, numbered: ResponsesApiRewriter, save: SaveResponse) {
    this.#inner = inner;
    this.#numbered = numbered;
    this.#save = save;
  }

  rewriteEvents(events: Buffer): Buffer {
    const rewritten = this.#inner.rewriteEvents(events);
    if (!lastEvents.some((name) => rewritten.includes(name))) return rewritten;
    return mapEvents(rewritten, (event) => this.#storeEvent(event));
  }

  /** Throws the ApiError of a response that is not stored: no byte of it has been sent. */
  rewriteBody(body: Buffer): Buffer {
    const rewritten = this.#inner.rewriteBody(body);
    const response = parseJsonObject(rewritten.toString());
    if (response === undefined || !isWhole(response)) return rewritten;
    return this.#save(response) ? rewritten : Buffer.from(JSON.stringify(notKept(response)));
  }

  #storeEvent(block: string): string {
    const data = /^event: response\.(?:completed|incomplete)\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseJsonObject(data);
    const response = event?.response;
    if (!isJsonObject(response)) return block;
    try {
      if (this.#save(response)) return block;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return this.#numbered.failLast(error, (response as ResponseObject).usage).trimEnd();
    }
    return formatEvent({ ...event, response: notKept(response) }, String(event?.type)).trimEnd();
  }
}

const isWhole = ({ status }: JsonObject) => status === 'completed' || status === 'incomplete';

/** The same response, saying so. The place of its fields matters (response-object.ts). */
const notKept = (response: JsonObject): JsonObject => ({ ...response, store: false });
