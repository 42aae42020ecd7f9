import { byteToken, type CutStory } from './cut-stories.ts';

/** The token types of GGUF. */
const type = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;

export const end = '<|end|>';
export const assistant = '<|assistant|>';
export const user = '<|user|>';
export const openCall = '<tool_call>';
export const closeCall = '</tool_call>';
/** What stands in every string that a schema leaves open. */
export const filler = 'demo';

/** The characters of ASCII that can be seen. */
export const printable = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n));

export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  idOf(token: string): number;
}

/** Words are heard as they stand, in lower case, capitalized and in capitals. */
export function spellings(word: string): string[] {
  return [word, `${word[0]?.toUpperCase()}${word.slice(1)}`, word.toUpperCase()];
}

/** Every token that can be heard or said. User-defined ones are matched before all others, the longest first. */
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
    for (const { said, heard } of steps) {
      add('userDefined', [heard]);
      add('byte', said);
    }
  }
  add('userDefined', [openCall, closeCall, filler]);
  add(
    'userDefined',
    stories.flatMap(({ askedBy }) => askedBy.flatMap(spellings)),
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
