import { invalidValue } from '../../errors/catalogue.ts';
import { GrammarReader } from './grammar-reader.ts';
import type { JsonObject } from './objects.ts';

const MOST_CHARACTERS = 200_000;
/** What a rule may be multiplied out to, the rules that it names included. */
const MOST_ELEMENTS = 20_000;
const MOST_RULES = 5000;
const MOST_ALTERNATIVES = 3000;
/** Of optional parts in a row, repeated ones counted as often as they are. */
const MOST_CHOICES = 150;
const MOST_STARTS = 20_000;

/** Refuses a grammar (GBNF) that overflows the engine's stack, or has no end in sound time. */
export function validateGrammar({ grammar }: JsonObject): void {
  if (typeof grammar !== 'string' || grammar === '') return;
  if (grammar.length > MOST_CHARACTERS) refuse(`${MOST_CHARACTERS} characters at most`);
  if (grammar.startsWith('%llguidance'))
    refuse('GBNF; builds of llama-server without llguidance end at its grammars');
  const reader = new GrammarReader(grammar, refuse);
  const { rules, mostAlternatives } = reader.read();
  if (rules.size > MOST_RULES) refuse(`${MOST_RULES} rules at most`);
  if (mostAlternatives > MOST_ALTERNATIVES) refuse(`${MOST_ALTERNATIVES} alternatives in a rule at most`);
  const { elements, choices, starts } = reader.largest(rules);
  if (elements > MOST_ELEMENTS)
    refuse(`repetitions that, multiplied out, have ${MOST_ELEMENTS} elements at most`);
  if (choices > MOST_CHOICES) refuse(`${MOST_CHOICES} optional parts in a row at most`);
  if (starts > MOST_STARTS) refuse(`rules that begin with one another in ${MOST_STARTS} ways at most`);
}

function refuse(expected: string): never {
  throw invalidValue('grammar', `a grammar of ${expected}`);
}
