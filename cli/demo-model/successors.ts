import { closeCall, end, filler, openCall } from './vocabulary.ts';

/** From 0 to 1: how strongly one token is wanted after another. The strongest that a grammar allows is said. */
export type Strength = number;

/**
 * What follows where no story goes on, in the order of preference. Under a schema or a forced tool call llama-server
 * takes the strongest one that its grammar allows, so these few preferences end every string, list and object soon.
 * Outside of strings they are weaker than the welcome, which plain text gets that ends in one of these characters.
 */
export const grammarSuccessors: readonly {
  after: readonly string[];
  wants: readonly [string, Strength][];
}[] = [
  { after: ['"'], wants: [[filler, 1], ...inOrder(':', '}', ']', ',')] },
  { after: [filler], wants: [['"', 1]] },
  { after: [':'], wants: inOrder('"', '1', '{', '[', 't') },
  { after: [','], wants: inOrder('"', '1', '{', '[') },
  { after: ['['], wants: inOrder('"', '1', '{', ']') },
  { after: ['{'], wants: inOrder('"', '}') },
  { after: ['}'], wants: inOrder(end, closeCall, '}', ']', ',') },
  { after: [']', 'e', 'l', ...'0123456789'], wants: inOrder('}', ']', ',', end) },
  { after: [openCall], wants: [['{', 1]] },
  { after: [closeCall], wants: [[end, 1]] },
];

function inOrder(...tokens: readonly string[]): [string, Strength][] {
  return tokens.map((token, place) => [token, 0.3 - 0.05 * place]);
}

/** Digits, letters and signs are said rather than the byte tokens of the same characters. */
export const characterOverByte: Strength = 0.05;

/**
 * How strongly a reply's first token is wanted. The welcome wins until a word that asks for another story is heard; where
 * a grammar forbids both, a call or an object comes before a story that nobody asked for.
 */
export const beginnings = {
  welcomeAnywhere: 0.35,
  welcomeAfterRole: 0.65,
  storyWhenAskedFor: 0.5,
  storyAfterRole: 0.7,
  callAfterRole: 0.85,
  objectAfterRole: 0.75,
} as const;

/** What is wanted after the last token of a story. */
export const afterTheEnd: readonly [string, Strength][] = [
  [end, 1],
  [openCall, 0.8],
  ['"', 0.6],
];
