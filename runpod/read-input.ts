/** The request of a job to the gateway. */
export interface JobRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Undefined for GET. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export type InputResult =
  | { readonly ok: true; readonly request: JobRequest }
  | { readonly ok: false; readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;

/** Fields for vLLM's worker that engines do not support. */
const workerFields = [
  ...['sampling_params', 'apply_chat_template', 'use_openai_format'],
  ...['max_batch_size', 'min_batch_size', 'batch_size_growth_factor'],
];

const expected =
  'expected "openai_route" with "openai_input", "route" with "body", or the fields of a request: "messages", "prompt" or "input"';

/**
 * Reads the input of a job in the formats of RunPod's route `/openai/v1` and of its workers for vLLM and llama.cpp:
 * `{openai_route, openai_input}`, `{route, body, method}`, or the body of a request itself, its `sampling_params` beside
 * or inside.
 */
export function readInput(input: unknown): InputResult {
  if (typeof input === 'string') return post('/v1/completions', { prompt: input });
  if (!isFields(input)) return { ok: false, problem: `the job's input is not an object; ${expected}` };
  if ('openai_route' in input || 'openai_input' in input) {
    return addressed(input.openai_route, input.openai_input);
  }
  if ('route' in input) return addressed(input.route, input.body, input.method);
  return plain(input);
}

function addressed(route: unknown = '/v1/chat/completions', body?: unknown, method?: unknown): InputResult {
  if (typeof route !== 'string') return { ok: false, problem: "the job's route is not a string" };
  const path = pathOf(route);
  if (path === undefined) return { ok: false, problem: "the job's route is not a path such as /v1/models" };
  const wanted = typeof method === 'string' ? method.toUpperCase() : undefined;
  const fields = isFields(body) ? body : {};
  if (wanted === 'GET' || (wanted === undefined && Object.keys(fields).length === 0)) {
    return { ok: true, request: { method: 'GET', path, body: undefined } };
  }
  if (wanted !== undefined && wanted !== 'POST') {
    return { ok: false, problem: "the job's method is neither GET nor POST" };
  }
  return post(path, fields);
}

/** A job can use the API, but nothing else of the gateway. */
function pathOf(route: string): string | undefined {
  const path = `/${route.replace(/^\/+/, '')}`;
  if (!/^(?:\/[\w.:-]+)+$/.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) return undefined;
  return path.startsWith('/v1/') ? path : `/v1${path}`;
}

function plain(input: Fields): InputResult {
  const sampling = isFields(input.sampling_params) ? input.sampling_params : {};
  const own = Object.entries(input).filter(([name]) => !workerFields.includes(name));
  const body: Fields = { ...sampling, ...Object.fromEntries(own) };
  if ('messages' in body) return post('/v1/chat/completions', body);
  if (typeof body.prompt === 'string' && input.apply_chat_template === true) {
    const { prompt, ...rest } = body;
    return post('/v1/chat/completions', { ...rest, messages: [{ role: 'user', content: prompt }] });
  }
  if ('prompt' in body) return post('/v1/completions', body);
  if ('input' in body) return post('/v1/embeddings', body);
  return { ok: false, problem: `the job's input contains no request; ${expected}` };
}

function post(path: string, body: Fields): InputResult {
  return { ok: true, request: { method: 'POST', path, body } };
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
