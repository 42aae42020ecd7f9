import type { Command } from 'commander';
import * as z from 'zod';
import { type AdminOptions, adminCommand, callAdmin } from '../admin-client.ts';
import { formatCount, formatSeconds } from '../format-values.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';

const requestList = z.object({
  requests: z.array(
    z.object({
      id: z.string(),
      key: z.string().nullable(),
      path: z.string(),
      model: z.string().nullable(),
      state: z.string(),
      ageMs: z.number(),
      queuedMs: z.number(),
      tokens: z.number(),
    }),
  ),
});
type LiveRequest = z.output<typeof requestList>['requests'][number];

/** `corral requests`: what a gateway is working at. */
export function requestsCommand(): Command {
  return adminCommand('requests')
    .description('list the requests in progress')
    .addHelpText(
      'after',
      "\nExamples:\n  corral requests\n  corral requests --json | jq -r '.requests[] | select(.ageMs > 60000) | .id'",
    )
    .action(async ({ json, ...gateway }: AdminOptions) => {
      const body = await callAdmin(gateway, 'GET', '/admin/requests');
      if (json) return writeJson(body);
      const { requests } = requestList.parse(body);
      if (requests.length > 0) writeStdout(align([heading, ...requests.map(toRow)]));
      else writeStderr('No requests in progress.');
    });
}

const heading = ['ID', 'KEY', 'MODEL', 'PATH', 'STATE', 'AGE', 'QUEUED', 'TOKENS'];

function toRow({ id, key, model, path, state, ageMs, queuedMs, tokens }: LiveRequest): string[] {
  const times = [ageMs, queuedMs].map((ms) => formatSeconds(ms / 1000));
  return [id, key ?? '-', model ?? '-', path, state, ...times, formatCount(tokens)];
}

/** `corral cancel ID`. */
export function cancelCommand(): Command {
  return adminCommand('cancel')
    .argument('<id>', 'id of the request: its x-request-id')
    .description('cancel a request in progress')
    .addHelpText(
      'after',
      '\nExample:\n  corral cancel 0b63d4f2\n\nIts client gets 403 request_cancelled, or an error event with that code; SDKs do not retry it. "corral batch cancel"\ncancels a batch.',
    )
    .action(async (id: string, { json, ...gateway }: AdminOptions) => {
      const body = await callAdmin(gateway, 'DELETE', `/admin/requests/${encodeURIComponent(id)}`);
      writeStderr(`Cancelled the request "${id}".`);
      if (json) writeJson(body);
    });
}
