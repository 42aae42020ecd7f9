import type { StreamError } from '../api/response-format.ts';

/** Takes an answer's body from the backend to the client. There is one for each kind of answer. */
export interface Relay {
  /** Something has gone to the client: another answer can no longer take its place. */
  readonly hasStarted: boolean;
  /** False where the client does not keep up: stop reading until the response drains. */
  write(chunk: Buffer): boolean;
  /** The backend has closed its answer; false where that was not complete. */
  end(): boolean;
  /** The backend's answer will never be complete: tell the client, in the way its kind of answer allows. */
  fail(failure: StreamError): void;
}
