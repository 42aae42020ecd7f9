import type { IncomingMessage } from 'node:http';
import type { SettingChanges } from '../../health/supervisor-messages.ts';
import { invalidJson, invalidRestart, restartInProgress, restartNotSupported } from '../errors/catalogue.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import { readBody } from '../proxy/read-body.ts';

const MAX_BYTES = 64 * 1024;

/** `POST /admin/restart`: the engine started anew without losing a request, with what the body changes. */
export function restartEngine(supervisor: SupervisorClient, idleTimeout: number) {
  return async (c: GatewayContext) => {
    const changes = changesFrom(await readText(c.env.incoming, idleTimeout));
    const verdict = await supervisor.restartEngine(changes);
    if (verdict === undefined) throw restartNotSupported();
    if (verdict.outcome === 'rejected') throw invalidRestart(verdict.problems);
    if (verdict.outcome !== 'accepted') throw restartInProgress(verdict.outcome);
    return c.json(
      {
        standing: 'restarting',
        changes: Object.keys(changes),
        message:
          'Requests under way finish, new ones wait, then llama-server starts anew; if it does not load, it starts as before. GET /health tells when it is ready, /status of the health server what came of it.',
      },
      202,
    );
  };
}

/** Without a body nothing changes. */
async function readText(incoming: IncomingMessage, idleTimeout: number): Promise<string> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return '';
  const { signal } = new AbortController();
  return (await readBody(incoming, { maxBytes: MAX_BYTES, idleTimeout, minRate: 0, signal })).toString();
}

function changesFrom(text: string): SettingChanges {
  if (text.trim() === '') return {};
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalidRestart(['expected an object of variables, such as {"CTX":"8192"}']);
  }
  const entries = Object.entries(parsed).map(([name, value]) => [name, asText(value)] as const);
  const misfits = entries.filter(([, value]) => value === undefined).map(([name]) => name);
  if (misfits.length > 0) throw invalidRestart(misfits.map((name) => `${name}: expected a text or a number`));
  return Object.fromEntries(entries.map(([name, value = '']) => [name, value]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not in the parser's words: they quote the text, which may hold a token.
    throw invalidJson('expected an object of variables, such as {"CTX":"8192"}.');
  }
}

/** As the environment would say it; null unsets a variable, as an empty text does. */
function asText(value: unknown): string | undefined {
  if (value === null) return '';
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
