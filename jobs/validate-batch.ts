import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BatchError } from '../store/batch.ts';
import type { NewLine } from '../store/batch-line.ts';
import { checkLine, type RequestLine } from './check-line.ts';
import { type FileLine, readLines } from './read-lines.ts';
import { promptText, sortKey } from './sort-key.ts';

/** As OpenAI's API has it. */
const MAX_LINES = 50_000;
/** No more errors are reported, and no more is read then. */
const MAX_ERRORS = 100;
/** The lines of further models of a message batch run as if they had one. */
const MAX_OTHER_MODELS = 16;
/** Lines of one transaction. */
const CHUNK = 1000;

export interface ValidationOptions {
  readonly endpoint: string;
  readonly content: AsyncIterable<Uint8Array>;
  /** In bytes. */
  readonly maxLineLength: number;
  /** The key of the hashes, if the store has one. */
  readonly key: Buffer | undefined;
  /** Stores lines, and returns the numbers of those whose custom id was there before. */
  readonly addLines: (lines: readonly NewLine[]) => Promise<readonly number[]>;
  readonly signal: AbortSignal;
}

export type Validation =
  | { readonly lines: number; readonly model: string | undefined }
  | { readonly errors: readonly BatchError[] };

/**
 * Reads an input file once, stores where its lines are, and finds every mistake, up to a hundred. Of the file, one line at
 * a time is in memory.
 */
export async function validateBatch(options: ValidationOptions): Promise<Validation> {
  return new Validator(options).run();
}

class Validator {
  readonly #options: ValidationOptions;
  readonly #errors: BatchError[] = [];
  #chunk: NewLine[] = [];
  #lines = 0;
  /** The first line that is valid. */
  #first: RequestLine | undefined;
  readonly #otherModels = new Set<string>();

  constructor(options: ValidationOptions) {
    this.#options = options;
  }

  async run(): Promise<Validation> {
    const { content, maxLineLength, signal } = this.#options;
    for await (const line of readLines(content, maxLineLength)) {
      signal.throwIfAborted();
      this.#lines += 1;
      if (this.#lines > MAX_LINES) return { errors: [tooManyTasks] };
      this.#check(line);
      if (this.#chunk.length === CHUNK) await this.#store();
      if (this.#errors.length >= MAX_ERRORS) break;
    }
    await this.#store();
    if (this.#lines === 0) return { errors: [emptyFile] };
    if (this.#errors.length > 0)
      return { errors: this.#errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, MAX_ERRORS) };
    return { lines: this.#lines, model: this.#first?.model };
  }

  #check(line: FileLine): void {
    const { endpoint, key, maxLineLength } = this.#options;
    if (line.bytes === undefined) {
      const message = `This line is longer than ${maxLineLength} bytes (MAX_REQUEST_BODY_SIZE).`;
      this.#errors.push({ code: 'line_too_long', message, param: null, line: line.number });
      return;
    }
    const checked = checkLine(line.bytes, endpoint);
    if ('fault' in checked) {
      this.#errors.push({ ...checked.fault, line: line.number });
      return;
    }
    const { customId, model, body } = checked.request;
    this.#first ??= checked.request;
    if (model !== this.#first.model && !mayMixModels(endpoint))
      this.#errors.push(modelMismatch(model, this.#first.model, line.number));
    const { number, offset, length } = line;
    this.#chunk.push({
      ...{ number, offset, length, customId },
      sortKey: sortKey(promptText(endpoint, body), key),
      model: this.#otherModel(model),
    });
  }

  /** The model of a line, if it is not that of the first one. */
  #otherModel(model = ''): string | undefined {
    if (model === (this.#first?.model ?? '')) return undefined;
    if (this.#otherModels.size < MAX_OTHER_MODELS) this.#otherModels.add(model);
    return this.#otherModels.has(model) ? model : '';
  }

  async #store(): Promise<void> {
    const duplicates = await this.#options.addLines(this.#chunk);
    const message = 'The custom_id of this line is that of an earlier line.';
    for (const line of duplicates)
      this.#errors.push({ code: 'duplicate_custom_id', message, param: 'custom_id', line });
    this.#chunk = [];
    // The process has other batches to run.
    await nextTurn();
  }
}

/** In Anthropic's API, each request of a batch may name its model. */
const mayMixModels = (endpoint: string) => endpoint === '/v1/messages';

const tooManyTasks: BatchError = {
  code: 'too_many_tasks',
  message: `The file has more than ${MAX_LINES} lines, which is the most for a batch. Split it into several files.`,
  param: null,
  line: null,
};

const emptyFile: BatchError = {
  code: 'empty_file',
  message: 'The input file has no lines.',
  param: null,
  line: null,
};

function modelMismatch(model: string | undefined, first: string | undefined, line: number): BatchError {
  const name = (it: string | undefined) => (it === undefined ? 'no model' : `'${it}'`);
  return {
    code: 'model_mismatch',
    message: `All lines of a batch need the same model: this line has ${name(model)}, the first one ${name(first)}.`,
    param: 'body.model',
    line,
  };
}
