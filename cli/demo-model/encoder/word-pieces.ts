/** The start of a word, the rest of it, or what is in every text; a special token is of no text. */
export type PieceKind = 'special' | 'start' | 'rest' | 'faint';

/** How much a piece counts. */
export const pieceWeights = { start: 1, rest: 1 / 4, faint: 1 / 16 } as const;

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const characters = [...letters, ...'0123456789'];
const punctuation = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

/** English words that say little about a text. */
const faintWords = `
  a about all also am an and any are as at be been but by can could did do does for from get give had has have he her
  here him his how i if in into is it its just may me more most my no not of on one or other our out she should so some
  such tell than that the their them then there these they this to up us was we were what when where which who why will
  with would you your`
  .trim()
  .split(/\s+/);

/** The mark of a piece that starts a word, in GGUF files of WordPiece vocabularies. */
export const wordStart = '\u2581';

export const unknownPiece = '[UNK]';
export const specialPieces = {
  padding: '[PAD]',
  first: '[CLS]',
  separator: '[SEP]',
  mask: '[MASK]',
} as const;

/**
 * The vocabulary of the demo models that read text: a word is cut into its first three letters and pairs of the
 * others, so that words of one stem share most of their pieces. Each faint word is a piece as a whole; with one more
 * letter it starts another word.
 */
export const wordPieces: ReadonlyMap<string, PieceKind> = createWordPieces();

function createWordPieces(): Map<string, PieceKind> {
  const kinds = new Map<string, PieceKind>();
  const include = (kind: PieceKind, pieces: readonly string[]) => {
    for (const piece of pieces) if (!kinds.has(piece)) kinds.set(piece, kind);
  };
  const pairs = characters.flatMap((first) => characters.map((second) => first + second));
  const triples = letters.flatMap((first) => letters.flatMap((a) => letters.map((b) => first + a + b)));
  const longer = faintWords.flatMap((word) => letters.map((letter) => word + letter));
  const startsOf = (texts: readonly string[]) => texts.map((text) => wordStart + text);
  include('special', Object.values(specialPieces));
  include('faint', [unknownPiece, ...startsOf([...punctuation, ...faintWords])]);
  include('start', startsOf([...characters, ...pairs, ...triples, ...longer]));
  include('rest', pairs);
  include('faint', characters);
  return kinds;
}
