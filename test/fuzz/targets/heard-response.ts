import type { ServerResponse } from 'node:http';
import { ClientResponse } from '../../../gateway/http/client-response.ts';

/** Stands for a client's response and keeps what it is told. */
export class HeardResponse {
  #pieces: Buffer[] = [];
  writableEnded = false;

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  write(bytes: Buffer): boolean {
    this.#pieces.push(Buffer.from(bytes));
    return true;
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.#pieces.push(Buffer.from(bytes));
    this.writableEnded = true;
  }

  destroy(): void {
    this.writableEnded = true;
  }

  /** As the relays know it, who use no more than what is here. It announces no chunks, so none are framed. */
  get asResponse(): ClientResponse {
    return new ClientResponse(this as unknown as ServerResponse);
  }
}
