import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Key } from '../../keys/key.ts';
import { type CancelController, RequestController } from '../cancellation.ts';
import { ClientResponse } from '../http/client-response.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import type { KeepAlive } from '../upstream/keep-alive.ts';
import type { RequestRecord } from './request-record.ts';

/** One request of a client on its way through the gateway. Its fields are written by the steps of that way, each by one. */
export class RequestContext {
  readonly incoming: IncomingMessage;
  readonly response: ClientResponse;
  readonly record: RequestRecord;
  /** Undefined without authentication, and before it. */
  key: Key | undefined = undefined;
  /** A line of a batch, sent by the runner: it runs on idle slots only. */
  isBatch = false;
  /** The id of a background response that the runner asks for. */
  background: string | undefined = undefined;
  /** The session in which that was created: the runner has no header of its client. */
  session: string | undefined = undefined;
  /** Set for a request that may be kept alive before its response. */
  keepAlive: KeepAlive | undefined = undefined;
  /** The pattern of the route that matched, such as `/v1/models/:id{.+}`; empty before that. */
  pattern = '';
  readonly #onEnd: (context: RequestContext) => void;
  #controller: RequestController | undefined = undefined;
  /** The request has ended when its handler has returned and its response has closed, in either order. */
  #isHandled = false;
  #isClosed = false;

  /** `onEnd` is called once, when the request has ended. */
  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    record: RequestRecord,
    onEnd: (context: RequestContext) => void,
  ) {
    this.incoming = incoming;
    this.response = new ClientResponse(outgoing);
    this.record = record;
    this.#onEnd = onEnd;
    outgoing.on('close', () => this.#close());
  }

  /**
   * Aborts the request: when its client disconnects before the response is complete, in whatever way (FIN, RST or
   * half-close), when an operator cancels it, and when its key ends.
   */
  get controller(): CancelController {
    if (this.#controller === undefined) {
      this.#controller = new RequestController();
      const { raw } = this.response;
      if (raw.destroyed || raw.closed) this.#abort();
    }
    return this.#controller;
  }

  /** To be called once, when the handler has returned. */
  handled(): void {
    this.#isHandled = true;
    if (this.#isClosed) this.#onEnd(this);
  }

  #close(): void {
    this.#isClosed = true;
    if (!this.response.raw.writableFinished) this.#abort();
    if (this.#isHandled) this.#onEnd(this);
  }

  #abort(): void {
    this.#controller?.abort(new ClientDisconnected('the client left'));
  }
}
