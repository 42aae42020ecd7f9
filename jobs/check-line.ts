import { isUtf8 } from 'node:buffer';
import { bodyLimits, findExceededLimit } from '../json/json-limits.ts';
import { type BatchError, MAX_MODEL_NAME } from '../store/batch.ts';

/** A line of an input file that can be sent. */
export interface RequestLine {
  readonly customId: string;
  readonly model: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

type Fault = Omit<BatchError, 'line'>;

export type CheckedLine = { readonly request: RequestLine } | { readonly fault: Fault };

/** A line has its body within it, and a few members beside it. */
const lineLimits = { levels: bodyLimits.levels + 1, values: bodyLimits.values + 100 };

/** Checks one line for itself. What it must have in common with others is checked elsewhere. */
export function checkLine(bytes: Buffer, endpoint: string): CheckedLine {
  const text = bytes.toString();
  // Invalid bytes are decoded to this character, and would reach the model as such.
  if (text.includes('\ufffd') && !isUtf8(bytes))
    return fault('invalid_json_line', null, 'This line is not UTF-8.');
  if (findExceededLimit(text, lineLimits) !== undefined) return fault('invalid_json_line', null, tooComplex);
  const line = parseObject(text);
  if (line === undefined)
    return fault('invalid_json_line', null, 'This line is not parseable as a JSON object.');
  const { custom_id: customId, method, url, body } = line;
  for (const name of ['custom_id', 'method', 'url', 'body'])
    if (line[name] === undefined || line[name] === null)
      return fault('missing_required_parameter', name, `Missing required parameter: '${name}'.`);
  if (typeof customId !== 'string' || customId === '')
    return fault('invalid_value', 'custom_id', "'custom_id' must be a string that is not empty.");
  if (method !== 'POST') return fault('invalid_value', 'method', "'method' must be POST.");
  if (url !== endpoint)
    return fault(
      'url_mismatch',
      'url',
      `The url of this line is not the endpoint of the batch, ${endpoint}.`,
    );
  if (!isObject(body)) return fault('invalid_value', 'body', "'body' must be an object.");
  if (body.stream === true)
    return fault(
      'invalid_value',
      'body.stream',
      'Batches do not stream: leave out "stream", or set it to false.',
    );
  const { model } = body;
  if (model !== undefined && (typeof model !== 'string' || model.length > MAX_MODEL_NAME))
    return fault(
      'invalid_value',
      'body.model',
      `'model' must be a string of at most ${MAX_MODEL_NAME} characters.`,
    );
  return { request: { customId, model, body } };
}

const fault = (code: string, param: string | null, message: string) => ({ fault: { code, param, message } });

const tooComplex = `The body of this line has more than ${bodyLimits.levels} levels of nesting, or more than ${bodyLimits.values} values.`;

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
