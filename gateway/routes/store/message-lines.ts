import { mayHaveInexactNumbers, parseKeepingNumbers } from '../../../json/exact-numbers.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { MAX_MODEL_NAME } from '../../../store/batch.ts';
import { isJsonObject } from '../../api/json.ts';
import { decodeBody, parseBody } from '../../api/request/parse-body.ts';
import { ApiError } from '../../errors/api-error.ts';
import { invalidValue } from '../../errors/catalogue.ts';

/** As many as a batch may have lines. */
const MAX_REQUESTS = 50_000;

const validId = /^[\w-]{1,64}$/;

/** Turns the requests of a message batch into lines of an input file, one after the other. */
export class MessageLines {
  readonly #ids = new Set<string>();
  readonly #maxBytes: number;

  /** `maxBytes`: of one line. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many there were. */
  get count(): number {
    return this.#ids.size;
  }

  /** With its line break. Throws an ApiError that names the request. */
  toLine(request: Buffer): string {
    const place = `requests[${this.#ids.size}]`;
    const { custom_id: id, params } = parse(request, place);
    if (typeof id !== 'string' || !validId.test(id))
      throw invalidValue(`${place}.custom_id`, '1 to 64 letters, digits, - or _', id);
    if (this.#ids.has(id)) throw invalidValue(`${place}.custom_id`, 'an id that no other request has');
    if (!isJsonObject(params)) throw invalidValue(`${place}.params`, 'the body of a request', params);
    checkParams(params, `${place}.params`);
    if (this.#ids.size === MAX_REQUESTS) throw invalidValue('requests', `at most ${MAX_REQUESTS} requests`);
    this.#ids.add(id);
    const line = JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/messages', body: params });
    if (Buffer.byteLength(line) > this.#maxBytes)
      throw invalidValue(place, `at most ${this.#maxBytes} bytes`, Buffer.byteLength(line));
    return `${line}\n`;
  }
}

/** What would fail the whole batch when it is read. All else is an error of this request alone. */
function checkParams({ stream, model }: JsonObject, place: string): void {
  if (stream === true) throw invalidValue(`${place}.stream`, 'false, as batches do not stream', stream);
  if (model !== undefined && (typeof model !== 'string' || model.length > MAX_MODEL_NAME))
    throw invalidValue(`${place}.model`, `the name of a model, at most ${MAX_MODEL_NAME} characters`, model);
}

function parse(request: Buffer, place: string) {
  try {
    const text = decodeBody(request);
    const fields = parseBody(text);
    return mayHaveInexactNumbers(text) ? (parseKeepingNumbers(text) as typeof fields) : fields;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw invalidValue(place, `a JSON object with custom_id and params (${error.message})`);
  }
}
