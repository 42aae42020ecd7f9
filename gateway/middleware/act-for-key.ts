import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Key } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { secretDigest } from '../../keys/secret.ts';
import type { ApiError } from '../errors/api-error.ts';
import { insufficientScope, invalidApiKey } from '../errors/catalogue.ts';
import type { RequestContext } from '../proxy/request-context.ts';

/** The runner (`jobs/`) names the key that owns a batch or a background response in this header, percent-encoded. */
const onBehalfOf = 'x-corral-on-behalf-of';
/** The id of the user of that key who has created the job. */
const ofUser = 'x-corral-user';
/** The id of the batch, for the log. */
const batchId = 'x-corral-batch';
/** The id of the background response that is to be generated. All others are lines of batches. */
const responseId = 'x-corral-response';

/**
 * Recognizes the runner by its secret and lets it act for a key. From all others the header means nothing: they get the
 * rights of the secret that they present.
 */
export class RunnerLogin {
  readonly #digest: Buffer;

  /** `secret` is `RUNNER_KEY`. */
  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /** Whether the runner sends this request. All others lack the header: it costs them no hash. */
  recognizes(headers: IncomingHttpHeaders): boolean {
    if (headers[onBehalfOf] === undefined) return false;
    const secret = headers.authorization?.replace(/^bearer /i, '') ?? '';
    return timingSafeEqual(digestOf(secret), this.#digest);
  }
}

const digestOf = (secret: string) => Buffer.from(secretDigest(secret), 'hex');

/** Marks a request of the runner as what it is: a background response, or a line of a batch. */
export function markAsJob(context: RequestContext): void {
  const { headers } = context.incoming;
  context.background = headers[responseId]?.toString();
  if (context.background !== undefined) return;
  context.isBatch = true;
  context.record.batch = headers[batchId]?.toString();
}

/** The identities that own jobs: their tokens may have expired meanwhile. */
interface OwnersByToken {
  find(id: string, now: number): Key | undefined;
}

/** The key that the runner acts for, as it is now. A key that has ended gets the error that its own client would get. */
export function actForKey(context: RequestContext, keys: KeyRing, identities?: OwnersByToken): Key {
  const { record, incoming } = context;
  const [id, now] = [keyIdOf(incoming.headers), Date.now()];
  const key = keys.validKey(id, now) ?? identities?.find(id, now);
  if (key === undefined) throw keyProblem(context, invalidApiKey());
  record.keyId = key.id;
  if (key.usersFrom !== null) record.user = incoming.headers[ofUser]?.toString();
  if (context.isBatch && !key.scopes.includes('batch')) throw keyProblem(context, insufficientScope('batch'));
  return key;
}

/** Says to the runner that the key is the reason: it ends the job, whatever the API of the request calls the error. */
export function keyProblem({ response }: RequestContext, error: ApiError): ApiError {
  response.setHeader('x-corral-key-problem', error.code);
  return error;
}

/** Ids may contain letters that no header can. */
function keyIdOf(headers: IncomingHttpHeaders): string {
  try {
    return decodeURIComponent(String(headers[onBehalfOf]));
  } catch {
    return '';
  }
}
