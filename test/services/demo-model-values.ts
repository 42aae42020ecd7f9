import { embeddingLayout } from '../../cli/demo-model/encoder/embedding-model.ts';
import { rerankScore } from '../../cli/demo-model/encoder/rerank-model.ts';
import { patternStart, tokenRows } from '../../cli/demo-model/encoder/token-rows.ts';
import {
  pieceWeights,
  unknownPiece,
  wordPieces,
  wordStart,
} from '../../cli/demo-model/encoder/word-pieces.ts';

const pieces = [...wordPieces.keys()];
const longestPiece = Math.max(...pieces.map((piece) => piece.length));
const rows = tokenRows(embeddingLayout);

/** The vector that the demo embedding model gives to a text, without a neural network. */
export function expectedEmbedding(text: string): number[] {
  const { width } = embeddingLayout;
  const sum = new Array<number>(width).fill(0);
  for (const piece of cutIntoPieces(text)) {
    const row = pieces.indexOf(piece) * width;
    for (let column = patternStart(embeddingLayout); column < width; column++)
      sum[column] = (sum[column] ?? 0) + weightOf(piece) * (rows[row + column] ?? 0);
  }
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

/** The cosine of the angle between two vectors of length 1. */
export function similarity(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, place) => sum + value * (b[place] ?? 0), 0);
}

/** The score that the demo rerank model gives to a document. */
export function expectedScore(query: string, document: string): number {
  const [asked, offered] = [cutIntoPieces(query), cutIntoPieces(document)];
  const { base, queryShare, documentShare } = rerankScore;
  return base + queryShare * shareIn(asked, offered) + documentShare * shareIn(offered, asked);
}

function shareIn(pieces: readonly string[], others: readonly string[]): number {
  const weigh = (list: readonly string[]) => list.reduce((sum, piece) => sum + weightOf(piece), 0);
  return weigh(pieces.filter((piece) => others.includes(piece))) / weigh(pieces);
}

function weightOf(piece: string): number {
  const kind = wordPieces.get(piece) ?? 'special';
  return kind === 'special' ? 0 : pieceWeights[kind];
}

/** The pieces of a text, as llama-server cuts it: a word with another character is unknown. */
export function cutIntoPieces(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain.match(/[\p{P}\p{Script=Han}$+<=>^`|~]|[^\s\p{P}\p{Script=Han}$+<=>^`|~]+/gu) ?? [];
  return words.flatMap((word) => cutWord(wordStart + word));
}

function cutWord(word: string): string[] {
  const found: string[] = [];
  let rest = word;
  while (rest !== '') {
    let length = Math.min(rest.length, longestPiece);
    while (length > 0 && !wordPieces.has(rest.slice(0, length))) length--;
    if (length === 0) return [unknownPiece];
    found.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return found;
}
