import { Option } from 'commander';
import * as z from 'zod';
import { readSettings } from '../../settings/read-settings.ts';
import { defaultHost, detectPlatform } from '../../supervisor/platform/platform.ts';
import { connectableHost } from '../../supervisor/probe-gateway.ts';
import { readApiKey } from '../api-key.ts';

export interface GatewayOptions {
  readonly gateway?: string;
  readonly keyFile?: string;
}

export const gatewayOptions = () => [
  new Option('--gateway <url>', 'URL of the gateway (default: that of this machine)'),
  new Option('--key-file <file>', 'file with a key of the scope admin (default: CORRAL_API_KEY)'),
];

const timeoutMs = 30_000;

/** Calls a route below `/admin` of the running gateway. Throws an error with the fix. */
export async function callAdmin(
  { gateway, keyFile }: GatewayOptions,
  method: 'GET' | 'POST',
  path: string,
): Promise<unknown> {
  const origin = (gateway ?? localGateway()).replace(/\/+$/, '').replace(/\/v1$/, '');
  const apiKey = await readApiKey(keyFile, process.env);
  const response = await fetch(`${origin}/admin${path}`, {
    method,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: Error) => {
    throw new Error(
      `no gateway answers at ${origin} (${reasonOf(error)}); start it, or name it with --gateway`,
      {
        cause: error,
      },
    );
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  throw new Error(explain(response.status, body, origin));
}

function localGateway(): string {
  const { HOST, PORT } = readSettings(process.env).settings;
  const host = HOST ?? defaultHost(detectPlatform(process.env));
  return `http://${connectableHost(host)}:${PORT}`;
}

function reasonOf(error: Error): string {
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code ?? error.message;
}

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

function explain(status: number, body: unknown, origin: string): string {
  const { message, code } = errorBody.safeParse(body).data?.error ?? {};
  if (status === 401 || status === 403) {
    return `the gateway at ${origin} wants a key with the scope admin (HTTP ${status}): pass it with --key-file or CORRAL_API_KEY`;
  }
  if (status === 405 || (status === 404 && code !== 'model_not_found')) {
    return `the gateway at ${origin} has no routes for models (HTTP ${status}): it serves one model without a models.json, or is of an older version`;
  }
  return `the gateway at ${origin} responded with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
}

const liveModel = z.looseObject({
  id: z.string(),
  status: z.string(),
  memory: z.number().nullish(),
  loadProgress: z.number().nullish(),
  failure: z.string().nullish(),
});

/** The state of a model in memory. */
export type LiveModel = z.output<typeof liveModel>;

/** The models of the running gateway, by their ids. */
export async function readLiveModels(options: GatewayOptions): Promise<ReadonlyMap<string, LiveModel>> {
  const body = z.object({ models: z.array(liveModel) }).safeParse(await callAdmin(options, 'GET', '/models'));
  if (!body.success)
    throw new Error('the gateway describes its models in a form that this version does not know');
  return new Map(body.data.models.map((model) => [model.id, model]));
}
