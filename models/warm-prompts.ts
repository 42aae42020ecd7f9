import { FileError } from '../fs/file-error.ts';
import { takeSnapshotSync } from '../fs/watched-file.ts';

/** The routes whose prompts can be read into the cache of an engine, each with the field that is its prompt. */
const promptFields = {
  '/v1/chat/completions': 'messages',
  '/v1/completions': 'prompt',
  '/v1/messages': 'messages',
  '/v1/responses': 'input',
} as const;
export type WarmRoute = keyof typeof promptFields;

/** A request whose prompt an engine reads after it has loaded its model. */
export interface WarmPrompt {
  /** Where it stands in the file, for messages: `line 3` or `item 3`. */
  readonly place: string;
  readonly url: WarmRoute;
  readonly body: Readonly<Record<string, unknown>>;
  /** The model or alias that it is for; undefined for the one that answers requests without a name. */
  readonly model: string | undefined;
}

/** The file of warm prompts cannot be used. The message names the line and the field. */
export class WarmPromptsError extends FileError {
  override readonly name = 'WarmPromptsError';
}

const MAX_PROMPTS = 1000;
const MAX_BYTES = 16 * 1024 ** 2;

/**
 * The prompts of a file: one request per line, or a list of them. A request is the body of a chat, or `{"url", "body"}` as in
 * the files of batches. Throws a WarmPromptsError with every mistake.
 */
export function parseWarmPrompts(text: string): readonly WarmPrompt[] {
  if (text.length > MAX_BYTES) throw new WarmPromptsError(`has more than ${MAX_BYTES / 1024 ** 2} MiB`);
  const mistakes: string[] = [];
  const prompts = readItems(text).flatMap(([place, item]) => {
    const read = readPrompt(place, item);
    if (typeof read !== 'string') return [read];
    mistakes.push(`${place}: ${read}`);
    return [];
  });
  if (prompts.length > MAX_PROMPTS) mistakes.push(`has more than ${MAX_PROMPTS} prompts`);
  if (mistakes.length > 0) throw new WarmPromptsError(mistakes.slice(0, MAX_MISTAKES).join('; '));
  return prompts;
}

const MAX_MISTAKES = 10;

const notJson = Symbol('not JSON');

/** With their places. */
function readItems(text: string): readonly (readonly [string, unknown])[] {
  if (text.trimStart().startsWith('[')) {
    const list = parseJson(text);
    return Array.isArray(list)
      ? list.map((item, index) => [`item ${index + 1}`, item])
      : [['the list', list]];
  }
  return text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [[`line ${index + 1}`, parseJson(line)] as const]));
}

/** V8 quotes the text in its message, and prompts stay out of the log. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return notJson;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text says what is wrong. */
function readPrompt(place: string, item: unknown): WarmPrompt | string {
  if (item === notJson) return 'is not JSON';
  if (!isObject(item)) return 'expected an object: the body of a request, or "url" and "body"';
  const isNamed = 'url' in item || 'body' in item;
  const { url, body } = isNamed ? item : { url: '/v1/chat/completions', body: item };
  if (typeof url !== 'string' || !Object.hasOwn(promptFields, url))
    return `"url": expected one of ${Object.keys(promptFields).join(', ')}`;
  if (!isObject(body)) return '"body": expected the body of a request';
  const route = url as WarmRoute;
  const field = promptFields[route];
  const { model } = body;
  const prompt = body[field];
  const isPrompt = Array.isArray(prompt) || (field !== 'messages' && typeof prompt === 'string');
  if (!isPrompt) return `"${field}": expected ${field === 'messages' ? 'a list' : 'a text or a list'}`;
  if (model !== undefined && typeof model !== 'string') return '"model": expected a name';
  return { place, url: route, body, model };
}

/** What is wrong with the file of `WARM_PROMPTS`. */
export function warmPromptsProblems(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    const snapshot = takeSnapshotSync(file);
    if (snapshot === undefined) return [`WARM_PROMPTS: ${file}: is missing`];
    parseWarmPrompts(snapshot.text);
    return [];
  } catch (error) {
    return [`WARM_PROMPTS: ${file}: ${(error as Error).message}`];
  }
}
