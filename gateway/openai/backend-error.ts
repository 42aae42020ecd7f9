/** A backend's error in our words: its message stays, the rest follows contract.md, "Errors". */
export interface BackendError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Reads llama-server's `{"error":{"code":400,"message":…,"type":…}}`, with or without the wrapping. Other bodies, such
 * as the plain text of an unhandled exception, give only their status.
 */
export function backendErrorOf(status: number, body: string): BackendError {
  const { message, type, code } = parse(body);
  const told = typeof code === 'number' && code >= 400 && code <= 599 ? code : status;
  const isClientsFault = told === 500 && typeof message === 'string' && blamesTheRequest.test(message);
  const actual = isClientsFault ? 400 : told;
  return {
    status: actual,
    type: isClientsFault ? 'invalid_request_error' : typeFor(actual, type),
    code: codeFor(actual, type),
    message:
      typeof message === 'string' && message !== '' ? message : `The engine answered with status ${actual}.`,
  };
}

/** llama-server answers 500 where reading the request threw. SDKs would send it again and again. */
const blamesTheRequest =
  /^Failed to parse (?:messages|tools)|\[json\.exception\.|' is required$|_M_range_check/;

interface Wire {
  readonly message?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
}

function parse(body: string): Wire {
  try {
    const value = JSON.parse(body) as { error?: unknown } | null;
    const error = value?.error ?? value;
    if (typeof error === 'string') return { message: error };
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {};
  }
}

function typeFor(status: number, type: unknown): string {
  if (type === 'exceed_context_size_error' || type === 'not_supported_error') return 'invalid_request_error';
  if (typeof type === 'string' && type !== 'unavailable_error') return type;
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function codeFor(status: number, type: unknown): string {
  if (type === 'exceed_context_size_error') return 'context_length_exceeded';
  if (type === 'not_supported_error' || status === 501) return 'not_supported';
  if (status === 404) return 'not_found';
  if (status < 500) return 'invalid_value';
  return status === 503 ? 'backend_unavailable' : 'internal_error';
}
