import type { JsonObject } from '../../../json/json-object.ts';
import type { Dialect } from '../route-table.ts';

/**
 * Fields of one meaning. llama-server obeys one of them in an order of its own, in which a default could win over what the
 * client sends under another name.
 */
const sameMeaning = [
  ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict'],
  ['stop', 'stop_sequences'],
  ['n', 'n_cmpl'],
  ['response_format', 'json_schema', 'grammar', 'text', 'output_config', 'output_format'],
] as const;

/** Where an API has a name of its own, llama-server reads no other. */
const ownNames: Readonly<Record<Dialect, Readonly<Record<string, string>>>> = {
  openai: { max_output_tokens: 'max_tokens', stop_sequences: 'stop' },
  native: { max_output_tokens: 'max_tokens', stop_sequences: 'stop' },
  responses: { max_tokens: 'max_output_tokens', stop_sequences: 'stop' },
  anthropic: {
    ...{ max_completion_tokens: 'max_tokens', max_output_tokens: 'max_tokens', n_predict: 'max_tokens' },
    stop: 'stop_sequences',
  },
};

/** The defaults of a model that a request needs, under the names of its API: those that its client does not give. */
export function missingDefaults(
  fields: JsonObject,
  defaults: JsonObject,
  dialect: Dialect,
): JsonObject | undefined {
  let missing: Record<string, unknown> | undefined;
  for (const name in defaults) {
    if (isGiven(fields, name)) continue;
    missing ??= {};
    missing[ownNames[dialect][name] ?? name] = defaults[name];
  }
  return missing;
}

/** Null means that a field is not set. */
function isGiven(fields: JsonObject, name: string): boolean {
  const names = sameMeaning.find((group) => (group as readonly string[]).includes(name)) ?? [name];
  return names.some((each) => fields[each] !== undefined && fields[each] !== null);
}
