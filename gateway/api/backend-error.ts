import type { BackendError } from '../errors/api-error.ts';
import { redactMessage } from './redact-message.ts';

/**
 * Reads llama-server's `{"error":{"code":400,"message":…,"type":…}}`, with or without the outer object. Other bodies, such
 * as the plain text of an unhandled exception, give only their status. Once the engine has sent output (`hasOutput`) it has
 * accepted the request: a later error is the engine's own fault.
 */
export function parseBackendError(status: number, body: string, { hasOutput = false } = {}): BackendError {
  const { message, type, code } = parseWireError(body);
  const actual = typeof code === 'number' && code >= 400 && code <= 599 ? code : status;
  const text = typeof message === 'string' ? message : '';
  if (text === '') return genericError(actual, type);
  if (isMissingRouterChild(text)) return genericError(503, type);
  const redacted = redactMessage(text);
  const tooLarge = describeTooLargeInput(text);
  if (tooLarge !== undefined) return requestError('context_length_exceeded', tooLarge);
  if (actual !== 500)
    return {
      status: actual,
      type: getType(actual, type),
      code: getCode(actual, type),
      message: redacted,
    };
  if (isModelOutputError(text, hasOutput))
    return { ...genericError(500, type), message: redacted, isFinal: true };
  if (hasOutput || isEngineFault(text)) return { ...genericError(500, type), message: redacted };
  return requestError('invalid_value', redacted);
}

function genericError(status: number, type: unknown): BackendError {
  const message = `The engine responded with status ${status}.`;
  return { status, type: getType(status, type), code: getCode(status, type), message };
}

/** llama-server responds with 500 wherever reading a request threw an exception. SDKs would retry such a request again and again. */
function requestError(code: string, message: string): BackendError {
  return { status: 400, type: 'invalid_request_error', code, message };
}

interface WireError {
  readonly message?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
}

function parseWireError(body: string): WireError {
  try {
    const value = JSON.parse(body) as { error?: unknown } | null;
    const error = value?.error ?? value;
    if (typeof error === 'string') return { message: error };
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {};
  }
}

function getType(status: number, type: unknown): string {
  if (type === 'exceed_context_size_error' || type === 'not_supported_error') return 'invalid_request_error';
  if (typeof type === 'string' && type !== 'unavailable_error') return type;
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function getCode(status: number, type: unknown): string {
  if (type === 'exceed_context_size_error') return 'context_length_exceeded';
  if (type === 'not_supported_error' || status === 501) return 'not_supported';
  if (status === 404) return 'not_found';
  if (status < 500) return 'invalid_value';
  return status === 503 ? 'backend_unavailable' : 'internal_error';
}

/**
 * Whether a 500 of llama-server is its own fault, judged by its message. Few are: llama-server throws `runtime_error` for
 * nearly everything that it rejects in a request, and its handler makes a 500 of each (server.cpp, `ex_wrapper`).
 */
function isEngineFault(message: string): boolean {
  const text = message.replace(/^got exception: /, '');
  return !quotesRequest.test(text) && engineFaults.test(text.split(/["'{[\n]/, 1)[0] ?? '');
}

/** These messages quote the request, which may contain any text. */
const quotesRequest =
  /^(?:failed to (?:parse|load image)|unknown (?!error)|unsupported (?!batch)|cannot |missing )/i;

const engineFaults = new RegExp(
  [
    // While it decodes, for every request in its slots (server-context.cpp, `decode`).
    ...['compute error', 'context size has been exceeded', 'invalid input batch', 'unsupported batch'],
    ...['context shift', 'speculative', 'mtmd chunk', 'memory slot', 'kv[ -]?cache', 'has_embd'],
    'failed to (?:de|en)code|failed to (?:eval|process|allocate|reload|restore|remove sequence|get (?:logits|embeddings)$)',
    // It cannot work, at the moment or on this machine.
    ...[
      'load(?:ing)? (?:the )?model',
      'model is loading',
      'shutting down',
      'unknown error',
      'internal server error',
    ],
    ...[
      'bad_alloc',
      'out of (?:\\w+ )?memory',
      'memory allocation',
      'device ?lost',
      'ErrorOutOf',
      'ErrorDevice',
    ],
    ...['\\bcuda\\b', '\\bhip\\b', 'vulkan', '\\bvk::', 'ggml', 'resource temporarily unavailable'],
    // A router whose child is gone or does not start.
    ...['^proxy error', '^model name=.* failed to load'],
    ...['too many open files', 'no space left', 'logits id', 'got exception while'],
  ].join('|'),
  'i',
);

/** A router sent the request to a child that is gone; it starts another one a moment later. */
const isMissingRouterChild = (message: string) =>
  message.startsWith('proxy error: Could not establish connection');

/**
 * The model's output could not be parsed as the call or the reasoning of its format. A grammar that allows no output at all
 * is the request's fault.
 */
function isModelOutputError(message: string, hasOutput: boolean): boolean {
  return unparsable.test(message) || (hasOutput && message.includes('empty grammar stack'));
}

const unparsable = /^(?:The model produced output that|Failed to parse input\b|Invalid diff:)/;

/**
 * The message about an input that llama-server must process at once, an embedding's or a document's; undefined for any other
 * error.
 */
function describeTooLargeInput(message: string): string | undefined {
  const [, tokens, reason, limit] = tooLarge.exec(message) ?? [];
  if (tokens === undefined) return undefined;
  const setting = reason?.startsWith('too large')
    ? 'the physical batch size (-ub in EXTRA_ARGS)'
    : 'the context (CTX)';
  return (
    `input (${tokens} tokens) is too large to process: this server takes ${limit} tokens in one input. ` +
    `Send it in shorter pieces, or ask the operator to raise ${setting}.`
  );
}

const tooLarge =
  /^input \((\d+) tokens\) is (too large to process|larger than the max context size)\b.*?(\d+)(?: tokens)?\)?(?:\..*)?$/s;
