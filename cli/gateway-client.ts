import { InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import type { Scope } from '../keys/key.ts';
import { readSettings } from '../settings/read-settings.ts';
import { defaultHost, detectPlatform } from '../supervisor/platform/platform.ts';
import { connectableHost } from '../supervisor/probe-gateway.ts';
import { readApiKey } from './api-key.ts';

export interface GatewayOptions {
  readonly gateway?: string;
  readonly keyFile?: string;
}

export const gatewayOptions = (scope: Scope) => [
  new Option('--gateway <url>', 'URL of the gateway (default: that of this machine)').argParser(gatewayUrl),
  new Option('--key-file <file>', `file with a key of the scope ${scope} (default: CORRAL_API_KEY)`),
];

/** Without a query, as paths are added to it, and without a user, which fetch refuses. */
function gatewayUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && !url.username && !url.password && !/[?#]/.test(text);
  if (!isPlain || !['http:', 'https:'].includes(url.protocol))
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8000, without user or query.');
  return text;
}

/** A running gateway, and the key to call it with. */
export interface Gateway {
  readonly origin: string;
  readonly apiKey: string | undefined;
}

/** The gateway of `--gateway`, or that of this machine. */
export async function findGateway({ gateway, keyFile }: GatewayOptions): Promise<Gateway> {
  const origin = (gateway ?? localGateway()).replace(/\/+$/, '').replace(/\/v1$/, '');
  return { origin, apiKey: await readApiKey(keyFile, process.env) };
}

function localGateway(): string {
  const { HOST, PORT } = readSettings(process.env).settings;
  const host = HOST ?? defaultHost(detectPlatform(process.env));
  return `http://${connectableHost(host)}:${PORT}`;
}

/** Nothing answers there; it may do so later. */
export class GatewayUnreachable extends Error {
  override readonly name = 'GatewayUnreachable';
}

/** Resolves with any response. Throws a GatewayUnreachable with the fix, or the reason of an aborted signal. */
export async function callGateway(
  { origin, apiKey }: Gateway,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
  return fetch(origin + path, { ...init, headers }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error;
    throw unreachable(origin, error);
  });
}

export function unreachable(origin: string, error: Error): GatewayUnreachable {
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  // Its code is a number that says nothing.
  const reason = error.name === 'TimeoutError' ? 'it takes too long' : (code ?? error.message);
  return new GatewayUnreachable(
    `no gateway answers at ${origin} (${reason}); start it, or name it with --gateway`,
    { cause: error },
  );
}

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

/** What the body of an error response says. */
export function readErrorBody(body: unknown): { readonly message?: string; readonly code?: string } {
  const { message, code } = errorBody.safeParse(body).data?.error ?? {};
  return { ...(message !== undefined && { message }), ...(code != null && { code }) };
}
