import type { ServerResponse } from 'node:http';
import { ClientDisconnected } from '../upstream/failure.ts';

/** Aborts when the client goes before its answer is complete, however it goes: FIN, RST or half-close. */
export function abortOnDisconnect(response: ServerResponse): AbortController {
  const controller = new AbortController();
  const leave = () => controller.abort(new ClientDisconnected('the client left'));
  if (response.destroyed || response.closed) leave();
  else response.once('close', () => response.writableFinished || leave());
  return controller;
}
