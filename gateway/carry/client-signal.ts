import type { ServerResponse } from 'node:http';

/** Aborts when the client goes before its answer is complete, however it goes: FIN, RST or half-close. */
export function clientSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed || response.closed) controller.abort();
  else response.once('close', () => response.writableFinished || controller.abort());
  return controller.signal;
}
