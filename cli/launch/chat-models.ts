import * as z from 'zod';
import { callGateway, type Gateway, readErrorBody } from '../gateway-client.ts';
import type { AgentModel } from './agents.ts';

const modelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** Only with several models. */
      kind: z.string().optional(),
      context_length: z.number().nullish(),
      /** Only aliases have them. */
      targets: z.unknown().optional(),
    }),
  ),
});

export interface ChatModels {
  readonly all: readonly AgentModel[];
  /** The one to use if none is named; undefined if there are several. */
  readonly usual: string | undefined;
}

/** The models that the key may chat with. Throws an error with the fix. */
export async function listChatModels(gateway: Gateway): Promise<ChatModels> {
  const response = await callGateway(gateway, '/v1/models');
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 401) throw new Error(keyProblem(gateway));
  if (!response.ok)
    throw new Error(`${gateway.origin}: ${readErrorBody(body).message ?? `HTTP ${response.status}`}`);
  const listed = modelList.safeParse(body);
  if (!listed.success) throw new Error(`${gateway.origin} does not answer as an OpenAI-compatible API`);
  const chats = listed.data.data.filter(({ id, kind = 'chat' }) => kind === 'chat' && isSafe(id));
  if (chats.length === 0)
    throw new Error(
      `${gateway.origin} lists no chat models for this key; use a key whose --models include one`,
    );
  const all = chats.map(({ id, context_length: context }) => ({ id, context: context ?? undefined }));
  // The names of a single model all mean the same.
  const isOne = chats.every(({ kind }) => kind === undefined);
  const models = chats.filter(({ targets }) => targets === undefined);
  return { all, usual: isOne || models.length === 1 ? (models[0] ?? chats[0])?.id : undefined };
}

/**
 * The names come from the gateway. OpenCode replaces `{file:…}` in its configuration by the contents of the file, and
 * control characters would reach the terminal.
 */
const isSafe = (id: string) => !/\p{Cc}|\{(?:env|file):/u.test(id);

const keyProblem = ({ origin, apiKey }: Gateway) =>
  apiKey === undefined
    ? `${origin} requires a key: set CORRAL_API_KEY, or name a file with --key-file`
    : `${origin} does not know this key, or it is no longer valid`;
