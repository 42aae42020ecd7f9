import type { ServerResponse } from 'node:http';
import { ClientResponse } from '../../gateway/http/client-response.ts';

/** A response to a client that records everything written to it. */
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

  /** This class has only what relays use of a ServerResponse. Without chunked encoding, nothing is framed. */
  get asResponse(): ClientResponse {
    return new ClientResponse(this as unknown as ServerResponse);
  }
}
