import { invalidValue } from '../../errors/catalogue.ts';
import { asList, isJsonObject, type JsonObject } from './objects.ts';

/** How many items a list may have, and how many characters each of them. Each is gone through at every token. */
const lists = {
  stop: [1000, 10_000],
  stop_sequences: [1000, 10_000],
  dry_sequence_breakers: [64, 1000],
  preserved_tokens: [1000, 1000],
  response_fields: [1000, 1000],
  reasoning_budget_end_tags: [64, 1000],
  grammar_triggers: [64, 1000],
} as const;

const MOST_BIASES = 20_000;
const MOST_SAMPLERS = 32;
/** The sampler for infilling compares each candidate with each other. */
const MOST_TO_INFILL = 1000;

/** Refuses values of the engine's own fields that end it or keep it busy. */
export function validateSampling(fields: JsonObject): void {
  for (const name in lists) {
    const value = fields[name];
    if (value !== undefined && value !== null) refuseLongList(name as keyof typeof lists, value);
  }
  if (fields.grammar_triggers !== undefined) refuseTriggers(fields.grammar_triggers);
  if (fields.logit_bias !== undefined) refuseManyBiases(fields.logit_bias);
  if (fields.samplers !== undefined) refuseSamplers(fields);
  if (typeof fields.chat_parser === 'string' && fields.chat_parser !== '')
    throw invalidValue('chat_parser', 'nothing: it is what llama-server tells itself');
}

function refuseLongList(name: keyof typeof lists, value: unknown): void {
  const [most, longest] = lists[name];
  const items = asList(value);
  if (items.length > most) throw invalidValue(name, `a list of ${most} at most`);
  if (items.some((item) => typeof item === 'string' && item.length > longest))
    throw invalidValue(name, `texts of ${longest} characters at most`);
}

/** 0 is a token, 1 a word, 2 and 3 are patterns, which the engine matches by recursion; others end it. */
function refuseTriggers(triggers: unknown): void {
  asList(triggers).forEach((trigger, index) => {
    if (!isJsonObject(trigger)) return;
    const { type, value } = trigger;
    if (type !== 0 && type !== 1)
      throw invalidValue(`grammar_triggers[${index}].type`, '0 (a token) or 1 (a word)');
    if (typeof value === 'string' && value.length > lists.grammar_triggers[1])
      throw invalidValue(
        `grammar_triggers[${index}].value`,
        `${lists.grammar_triggers[1]} characters at most`,
      );
  });
}

function refuseManyBiases(biases: unknown): void {
  const count = isJsonObject(biases) ? Object.keys(biases).length : asList(biases).length;
  if (count > MOST_BIASES) throw invalidValue('logit_bias', `${MOST_BIASES} tokens at most`);
}

function refuseSamplers({ samplers, top_k }: JsonObject): void {
  const names = typeof samplers === 'string' ? [...samplers] : asList(samplers);
  if (names.length > MOST_SAMPLERS) throw invalidValue('samplers', `${MOST_SAMPLERS} samplers at most`);
  const infill = names.findIndex(
    (name) => name === 'infill' || (name === 'i' && typeof samplers === 'string'),
  );
  if (infill === -1) return;
  const first = names.findIndex((name) => name === 'top_k' || name === 'top-k' || name === 'k');
  const isBounded = first !== -1 && first < infill && isFew(top_k ?? 40);
  if (!isBounded)
    throw invalidValue('samplers', `'infill' behind 'top_k', and a top_k from 1 to ${MOST_TO_INFILL}`);
}

const isFew = (count: unknown) => typeof count === 'number' && count >= 1 && count <= MOST_TO_INFILL;
