import type { ServerResponse } from 'node:http';
import { ClientResponse } from '../../../gateway/http/client-response.ts';

/** A client's response that keeps what is written to it. */
export class RecordingResponse {
  #chunks: Buffer[] = [];
  writableEnded = false;

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  write(bytes: Buffer): boolean {
    this.#chunks.push(Buffer.from(bytes));
    return true;
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.#chunks.push(Buffer.from(bytes));
    this.writableEnded = true;
  }

  destroy(): void {
    this.writableEnded = true;
  }

  /** Relays use no more of it than is here. It announces no chunked encoding, so nothing is framed. */
  get asResponse(): ClientResponse {
    return new ClientResponse(this as unknown as ServerResponse);
  }
}
