const words =
  'the river and its old stone bridge were quiet when morning came over green hills while people walked to market with bread apples'.split(
    ' ',
  );

/** After so many words they come again. */
export const wordListLength = words.length;

/** How many tokens an endpoint finds in a made prompt: so many in any, and so many more for each word. */
export interface TokenEstimate {
  readonly always: number;
  readonly perWord: number;
}

/** A prompt of so many words that begins like no other of this run, so that no cache of prompts helps. */
export function syntheticPrompt(number: number, wordCount: number, salt: number): string {
  const told = Array.from({ length: wordCount }, (_, n) => words[(number + n) % words.length]);
  return [`${(salt + number).toString(36)}:`, ...told].join(' ');
}

/** From how many tokens prompts of two lengths had; one token for a word where that makes no sense. */
export function fitTokens(
  shorter: { readonly words: number; readonly tokens: number },
  longer: { readonly words: number; readonly tokens: number },
): TokenEstimate {
  const perWord = (longer.tokens - shorter.tokens) / (longer.words - shorter.words);
  if (!(perWord > 0)) return { always: 0, perWord: 1 };
  return { always: Math.max(0, shorter.tokens - perWord * shorter.words), perWord };
}

/** How many words make a prompt of so many tokens. */
export function wordsFor(tokens: number, { always, perWord }: TokenEstimate): number {
  return Math.max(0, Math.round((tokens - always) / perWord));
}
