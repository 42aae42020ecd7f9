import { Command } from 'commander';
import * as z from 'zod';
import { formatAgo } from '../format-values.ts';
import { callGateway, findGateway, type GatewayOptions, gatewayOptions } from '../gateway-client.ts';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStdout } from '../output.ts';

const notes = `
Examples:
  corral status
  corral status --gateway https://llm.example.com --json

It needs no key. Exit status: 0 if the gateway is ready, else 1. "corral models list" shows each of several models, the log
and the dashboard what happened.`;

const health = z.object({
  status: z.string(),
  model: z.string().nullish(),
  backend: z.object({ standing: z.string(), since: z.iso.datetime(), sleeping: z.boolean().default(false) }),
  queue: z.object({ waiting: z.number() }),
  slots: z.object({ total: z.number(), busy: z.number() }),
  keys: z.object({ problem: z.boolean() }).optional(),
});
type Health = z.output<typeof health>;

/** `corral status`: what `GET /health` says, for people. */
export function statusCommand(): Command {
  const [gateway] = gatewayOptions('inference');
  const command = new Command('status').description('show the status of a running gateway');
  if (gateway !== undefined) command.addOption(gateway);
  return command.addOption(jsonOption()).addHelpText('after', notes).action(showStatus);
}

async function showStatus({ json, ...options }: GatewayOptions & { readonly json?: true }): Promise<void> {
  const gateway = await findGateway(options);
  const response = await callGateway(gateway, '/health', { signal: AbortSignal.timeout(10_000) });
  const body: unknown = await response.json().catch(() => undefined);
  const read = health.safeParse(body);
  if (!read.success)
    throw new Error(
      `what answers at ${gateway.origin} is no gateway (HTTP ${response.status} for /health); name it with --gateway`,
    );
  if (json) writeJson(body);
  else writeStdout(align(rowsOf(read.data, gateway.origin, Date.now())));
  if (read.data.status !== 'ready') process.exitCode = 1;
}

function rowsOf(
  { status, model, backend, queue, slots, keys }: Health,
  origin: string,
  now: number,
): string[][] {
  const since = formatAgo(Date.parse(backend.since), now);
  return [
    ['status', status],
    ['model', model ?? '-'],
    ['llama-server', `${backend.sleeping ? 'sleeping' : backend.standing} (changed ${since})`],
    ['slots', `${slots.busy} of ${slots.total} busy`],
    ['queue', `${queue.waiting} waiting`],
    ...(keys?.problem ? [['key file', 'not in use, the previous keys stay; "corral doctor" says why']] : []),
    ['gateway', origin],
  ];
}
