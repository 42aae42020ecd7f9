import { Command } from 'commander';
import {
  callGateway,
  findGateway,
  type GatewayOptions,
  gatewayOptions,
  readErrorBody,
} from './gateway-client.ts';
import { jsonOption } from './options.ts';

const timeoutMs = 30_000;

export interface AdminOptions extends GatewayOptions {
  readonly json?: true;
}

/** A command that calls a route for administrators of a running gateway. */
export function adminCommand(name: string): Command {
  const command = new Command(name);
  for (const option of [...gatewayOptions('admin'), jsonOption()]) command.addOption(option);
  return command;
}

/** Calls a route for administrators of the running gateway. Throws an error with the fix. */
export async function callAdmin(
  options: GatewayOptions,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  content?: unknown,
): Promise<unknown> {
  const gateway = await findGateway(options);
  const signal = AbortSignal.timeout(timeoutMs);
  const init = content === undefined ? {} : { body: JSON.stringify(content), headers: jsonHeaders };
  const response = await callGateway(gateway, path, { method, signal, ...init });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  throw new Error(explain(response.status, body, { origin: gateway.origin, path }));
}

const jsonHeaders = { 'content-type': 'application/json' };

function explain(status: number, body: unknown, { origin, path }: { origin: string; path: string }): string {
  const { message, code } = readErrorBody(body);
  if (status === 401) {
    return `the gateway at ${origin} wants a key with the scope admin (HTTP ${status}): pass it with --key-file or CORRAL_API_KEY`;
  }
  const isUnknown = status === 405 || (status === 404 && (code === undefined || code === 'unknown_url'));
  if (isUnknown && path.startsWith('/admin/models')) {
    return `the gateway at ${origin} has no routes for models (HTTP ${status}): it serves one model without a models.json, or is of an older version`;
  }
  if (isUnknown)
    return `what answers at ${origin} has no ${path} (HTTP ${status}): it is no gateway, or of an older version`;
  return `the gateway at ${origin} responded with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
}
