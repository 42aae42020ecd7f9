import { hasEnded } from '../api/stream-markers.ts';
import type { RequestRecord } from './request-record.ts';

/** Status of a request whose client left before the answer was complete: nobody receives it. */
const CLIENT_LEFT = 499;

/** How a request ended, as its client saw it. */
export interface RequestOutcome {
  /** What the client got; 499 where it left. */
  readonly status: number;
  /** broken_off: the answer had begun and could not be finished. */
  readonly outcome: 'ok' | 'refused' | 'broken_off' | 'client_left';
}

/** `completed`: all of the answer has gone out. */
export function getOutcome({ error }: RequestRecord, status: number, completed: boolean): RequestOutcome {
  if (!completed) return { status: CLIENT_LEFT, outcome: 'client_left' };
  if (status >= 400) return { status, outcome: 'refused' };
  return { status, outcome: error === undefined ? 'ok' : 'broken_off' };
}

/** Whether a stream came to its end mark: many clients hang up when they read it, before the response is closed. */
export function reachedStreamEnd({ streamed, responseTail }: RequestRecord): boolean {
  if (!streamed || responseTail === undefined) return false;
  const tail = responseTail.fullText();
  return dialects.some((dialect) => hasEnded(dialect, tail));
}

const dialects = ['openai', 'responses', 'anthropic', 'native'] as const;
