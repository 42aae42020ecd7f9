import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ClientResponse } from '../http/client-response.ts';

/** Takes an answer that is to become a part of another one, in place of the client. */
export class BufferedResponse extends ClientResponse {
  readonly #chunks: Buffer[] = [];
  head: OutgoingHttpHeaders | undefined;

  constructor() {
    // Nothing is ever written to it: those who look at it see a client that keeps up.
    super(new ServerResponse(new IncomingMessage(new Socket())));
  }

  override get headersSent(): boolean {
    return this.head !== undefined;
  }

  override writeHead(_: number, headers: OutgoingHttpHeaders): void {
    this.head = headers;
  }

  override flushHead(): void {}

  override write(bytes: Buffer): boolean {
    this.#chunks.push(bytes);
    return true;
  }

  override end(bytes?: Buffer): void {
    if (bytes !== undefined) this.#chunks.push(bytes);
  }

  override destroy(): void {}

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
