import type { JsonObject } from '../../json/json-object.ts';
import type { WarmPrompt } from '../../models/warm-prompts.ts';
import { appendFields } from '../api/json.ts';
import { missingDefaults } from '../api/request/model-defaults.ts';
import { apiRoutes } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import { adapterMembers } from '../models/adapter-names.ts';
import { parseRequest } from '../proxy/parse-request.ts';

/** What an engine is sent so that it reads a prompt, and the path that it is sent to. */
export interface WarmRequest {
  readonly path: string;
  readonly body: Buffer;
}

/** The fields that limit the length of a response: of one meaning, and none may win over ours. */
const lengths = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n_predict',
  'n',
  'n_cmpl',
] as const;

/**
 * The request of a client with this prompt, made to the one that generates least: llama-server ends after one token. It asks for
 * a stream, as llama-server notices at once when the connection of a stream is closed. Throws an ApiError if it is invalid.
 */
export function createWarmRequest(
  { url, body, model }: WarmPrompt,
  defaults: JsonObject,
  engine: EngineServices,
  config: GatewayConfig,
): WarmRequest {
  const route = apiRoutes.find(({ upstream }) => upstream === url);
  if (route === undefined) throw new Error(`no route ${url}`);
  const given = { ...body, ...missingDefaults(body, defaults, route.dialect) };
  const prompt = Object.fromEntries(
    Object.entries(given).filter(([name]) => !(lengths as readonly string[]).includes(name)),
  );
  const limit = route.shape === 'message' ? { max_tokens: 1 } : { n_predict: 0 };
  const fields = { ...prompt, ...limit, stream: true };
  const text = Buffer.from(JSON.stringify(fields));
  const source = { contentType: undefined, body: text, fields: undefined, isBatch: false };
  const request = parseRequest(route, source, engine, config);
  const isChat = request.responseConversion === 'message';
  const { adapters } = engine;
  const adapter = adapters.find((name) => model?.endsWith(`:${name}`));
  const members = adapters.length > 0 ? adapterMembers(adapters, adapter) : '';
  return {
    path: isChat ? '/v1/chat/completions' : route.upstream,
    body: appendFields(request.body, members),
  };
}
