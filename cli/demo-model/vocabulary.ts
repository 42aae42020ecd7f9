import type { Story } from './stories.ts';

/** The token types of GGUF. */
const type = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;

export const end = '<|end|>';
export const assistant = '<|assistant|>';
export const user = '<|user|>';
export const openCall = '<tool_call>';
export const closeCall = '</tool_call>';
/** Content of strings that a schema leaves open. */
export const filler = 'demo';

/** Printable ASCII characters. */
export const printable = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n));

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  idOf(token: string): number;
}

/** Spellings of a keyword: as it is, in lower case, capitalized and in capitals. */
export function spellings(word: string): string[] {
  return [word, `${word[0]?.toUpperCase()}${word.slice(1)}`, word.toUpperCase()];
}

/** All tokens. User-defined ones are matched before all others, the longest first. */
export function createVocabulary(stories: readonly CutStory[]): Vocabulary {
  const types = new Map<string, number>();
  const add = (kind: keyof typeof type, tokens: Iterable<string>) => {
    for (const token of tokens) if (!types.has(token)) types.set(token, type[kind]);
  };
  add('unknown', ['<unk>']);
  add('control', ['<s>', '</s>', '<|system|>', user, assistant, '<|tool|>', end]);
  add(
    'byte',
    Array.from({ length: 256 }, (_, byte) => byteToken(byte)),
  );
  add('normal', ['\u2581', ...printable]);
  for (const { steps } of stories) {
    for (const { outputTokens, inputToken } of steps) {
      add('userDefined', [inputToken]);
      add('byte', outputTokens);
    }
  }
  add('userDefined', [openCall, closeCall, filler]);
  add(
    'userDefined',
    stories.flatMap(({ keywords }) => keywords.flatMap(spellings)),
  );
  const tokens = [...types.keys()];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  return {
    tokens,
    types: [...types.values()],
    idOf(token) {
      const id = ids.get(token);
      if (id === undefined) throw new Error(`the demo model has no token ${token}`);
      return id;
    },
  };
}

/** A part of a story that is generated as one token, or byte by byte, and is one token in the input. */
export interface Step {
  readonly inputToken: string;
  /** The texts of its tokens. */
  readonly outputTokens: readonly string[];
}

export interface CutStory {
  readonly topic: string;
  readonly keywords: readonly string[];
  readonly steps: readonly Step[];
}

const openThought = '<think>';
const closeThought = '</think>';

/**
 * Cuts the stories into steps such that no text of a step occurs twice. So the last token determines the position in
 * a story, and generated text is tokenized into the tokens that generated it.
 */
export function cutStories(stories: readonly Story[]): CutStory[] {
  const everything = stories.flatMap(({ thought = '', text }) => [thought, text]).join('\0');
  const keywords = stories.flatMap((story) => story.keywords);
  const bytesSpent = new Map<string, number>();
  const cut = (text: string) => cutText(text, { everything, keywords, bytesSpent });
  return stories.map(({ topic, keywords, thought, text }) => ({
    topic,
    keywords,
    steps: thought ? [plain(openThought), ...cut(thought), plain(closeThought), ...cut(text)] : cut(text),
  }));
}

interface Corpus {
  readonly everything: string;
  readonly keywords: readonly string[];
  /** How often each byte was used: a repeated byte needs another token. */
  readonly bytesSpent: Map<string, number>;
}

function plain(text: string): Step {
  return { inputToken: text, outputTokens: [text] };
}

function cutText(text: string, corpus: Corpus): Step[] {
  const runs = text.match(/[\p{ASCII}]+|[^\p{ASCII}]/gu) ?? [];
  return runs.flatMap((run) =>
    /\p{ASCII}/u.test(run) ? cutAtSpaces(run, corpus).map(plain) : [inBytes(run, corpus)],
  );
}

function inBytes(character: string, corpus: Corpus): Step {
  if (!isUnique(character, corpus)) throw new Error(`${character} occurs twice in the stories`);
  const outputTokens = [...Buffer.from(character)].map((byte) => {
    const token = byteToken(byte);
    const nth = (corpus.bytesSpent.get(token) ?? 0) + 1;
    corpus.bytesSpent.set(token, nth);
    return `${token}${nth}`;
  });
  return { inputToken: character, outputTokens };
}

/**
 * The name of a byte token. llama.cpp reads only its digits, so a suffix after `>` makes another token of the same
 * byte.
 */
function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

function cutAtSpaces(run: string, corpus: Corpus): string[] {
  const words = run.match(/\s*\S+|\s+$/g) ?? [];
  const pieces: string[] = [];
  let piece = '';
  for (const [index, word] of words.entries()) {
    piece += word;
    if (!isComplete(piece, words[index + 1], corpus)) continue;
    pieces.push(piece);
    piece = '';
  }
  if (piece !== '') pieces.push(`${pieces.pop() ?? ''}${piece}`);
  const shared = pieces.find((it) => !isUnique(it, corpus));
  if (shared) throw new Error(`"${shared}" occurs twice in the stories and must be unique`);
  return pieces;
}

/**
 * A step with a keyword extends to the end of its sentence: otherwise a user who types the keyword could type the
 * whole step, and the keyword would not be recognized.
 */
function isComplete(piece: string, next: string | undefined, corpus: Corpus): boolean {
  const asks = corpus.keywords.some((word) => piece.toLowerCase().includes(word));
  const endsSentence = /[.!?:;]$/.test(piece) || next === undefined || next.startsWith('\n');
  return (!asks || endsSentence) && isUnique(piece, corpus);
}

function isUnique(piece: string, { everything }: Corpus): boolean {
  return everything.indexOf(piece) === everything.lastIndexOf(piece);
}
