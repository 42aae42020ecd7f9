import { invalidValue } from '../../errors/catalogue.ts';
import { asList, isJsonObject, type JsonObject } from '../json-object.ts';

/** The most items of a list, and the most characters of each item. llama-server goes through all of them at every token. */
const lists = {
  stop: [1000, 10_000],
  stop_sequences: [1000, 10_000],
  dry_sequence_breakers: [64, 1000],
  preserved_tokens: [1000, 1000],
  response_fields: [1000, 1000],
  reasoning_budget_end_tags: [64, 1000],
  grammar_triggers: [64, 1000],
} as const;

const MAX_BIASES = 20_000;
const MAX_SAMPLERS = 32;
/** The infill sampler compares each candidate with all others. */
const MAX_INFILL_CANDIDATES = 1000;

/** Rejects values of llama-server's own fields that crash it or keep it busy. */
export function validateSampling(fields: JsonObject): void {
  for (const name in lists) {
    const value = fields[name];
    if (value !== undefined && value !== null) validateList(name as keyof typeof lists, value);
  }
  if (fields.grammar_triggers !== undefined) validateTriggers(fields.grammar_triggers);
  if (fields.logit_bias !== undefined) validateBiases(fields.logit_bias);
  if (fields.samplers !== undefined) validateSamplers(fields);
  if (typeof fields.chat_parser === 'string' && fields.chat_parser !== '')
    throw invalidValue('chat_parser', 'no value, because the field is internal to llama-server');
}

function validateList(name: keyof typeof lists, value: unknown): void {
  const [most, longest] = lists[name];
  const items = asList(value);
  if (items.length > most) throw invalidValue(name, `at most ${most} items, not ${items.length}`);
  if (items.some((item) => typeof item === 'string' && item.length > longest))
    throw invalidValue(name, `strings of at most ${longest} characters`);
}

/** 0 is a token, 1 a word, 2 and 3 are patterns, which llama-server matches by recursion; other numbers crash it. */
function validateTriggers(triggers: unknown): void {
  asList(triggers).forEach((trigger, index) => {
    if (!isJsonObject(trigger)) return;
    const { type, value } = trigger;
    const place = `grammar_triggers[${index}]`;
    const longest = lists.grammar_triggers[1];
    if (type !== 0 && type !== 1) throw invalidValue(`${place}.type`, '0 (a token) or 1 (a word)');
    if (typeof value === 'string' && value.length > longest)
      throw invalidValue(`${place}.value`, `at most ${longest} characters, not ${value.length}`);
  });
}

function validateBiases(biases: unknown): void {
  const count = isJsonObject(biases) ? Object.keys(biases).length : asList(biases).length;
  if (count > MAX_BIASES) throw invalidValue('logit_bias', `at most ${MAX_BIASES} tokens, not ${count}`);
}

function validateSamplers({ samplers, top_k }: JsonObject): void {
  const names = typeof samplers === 'string' ? [...samplers] : asList(samplers);
  if (names.length > MAX_SAMPLERS)
    throw invalidValue('samplers', `at most ${MAX_SAMPLERS} samplers, not ${names.length}`);
  const infill = names.findIndex(
    (name) => name === 'infill' || (name === 'i' && typeof samplers === 'string'),
  );
  if (infill === -1) return;
  const first = names.findIndex((name) => name === 'top_k' || name === 'top-k' || name === 'k');
  const isLimited = first !== -1 && first < infill && isSmall(top_k ?? 40);
  if (!isLimited)
    throw invalidValue(
      'samplers',
      `'top_k' before 'infill', with a top_k from 1 to ${MAX_INFILL_CANDIDATES}`,
    );
}

const isSmall = (count: unknown) => typeof count === 'number' && count >= 1 && count <= MAX_INFILL_CANDIDATES;
