import {
  describeTooLargeInput,
  isEngineFault,
  isMissingRouterChild,
  isModelOutputError,
} from './engine-faults.ts';
import { redactMessage } from './redact-message.ts';

/** A backend's error in our words: its message stays but for what it quotes, the rest follows contract.md, "Errors". */
export interface BackendError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** Sent again as it is, it would come to the same, at the full price: clients are told not to. */
  readonly isFinal?: boolean;
}

/**
 * Reads llama-server's `{"error":{"code":400,"message":…,"type":…}}`, with or without the wrapping. Other bodies, such
 * as the plain text of an unhandled exception, give only their status. An engine that `hasSpoken` has long read the
 * request: what goes wrong then is its own doing.
 */
export function parseBackendError(status: number, body: string, { hasSpoken = false } = {}): BackendError {
  const { message, type, code } = parse(body);
  const told = typeof code === 'number' && code >= 400 && code <= 599 ? code : status;
  const text = typeof message === 'string' ? message : '';
  if (text === '') return plainError(told, type);
  if (isMissingRouterChild(text)) return plainError(503, type);
  const shown = redactMessage(text);
  const tooLarge = describeTooLargeInput(text);
  if (tooLarge !== undefined) return refused('context_length_exceeded', tooLarge);
  if (told !== 500)
    return { status: told, type: typeFor(told, type), code: codeFor(told, type), message: shown };
  if (isModelOutputError(text, hasSpoken)) return { ...plainError(500, type), message: shown, isFinal: true };
  if (hasSpoken || isEngineFault(text)) return { ...plainError(500, type), message: shown };
  return refused('invalid_value', shown);
}

function plainError(status: number, type: unknown): BackendError {
  const message = `The engine answered with status ${status}.`;
  return { status, type: typeFor(status, type), code: codeFor(status, type), message };
}

/** llama-server answers 500 wherever reading a request threw. SDKs would send it again and again. */
function refused(code: string, message: string): BackendError {
  return { status: 400, type: 'invalid_request_error', code, message };
}

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
