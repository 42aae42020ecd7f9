import { seededRandom } from '../matrix.ts';
import { type PieceKind, pieceWeights, wordPieces } from './word-pieces.ts';

/*
 * The embedding of a token consists of lanes with a fixed meaning and a pattern of +1 and -1 that identifies the token.
 * A lane is two dimensions with opposite values, and a pattern has as many +1 as -1, so that the mean is 0. All tokens
 * have the same norm. Then the layer normalization of BERT changes nothing.
 */

/** The first lanes: of which kind a token is. Models add their own ones after these. */
export const kindLanes = { special: 0, start: 1, rest: 2, faint: 3 } as const satisfies Record<
  PieceKind,
  number
>;

/** 1 for all kinds but special tokens. */
export const wordLane = 4;

/** The value of the special lane: without a pattern, special tokens of the rerank model have the norm of the others. */
export const specialValue = 7;

/** The logarithm of the weight of a piece, as a sum of lanes. */
export const logWeights = [
  [kindLanes.rest, Math.log(pieceWeights.rest)],
  [kindLanes.faint, Math.log(pieceWeights.faint)],
] as const;

export interface Layout {
  readonly width: number;
  readonly lanes: number;
}

/** The first dimension of the patterns. */
export function patternStart({ lanes }: Layout): number {
  return 2 * lanes;
}

/** The embeddings of all word pieces, one row for each. */
export function tokenRows(layout: Layout): Int8Array {
  const { width } = layout;
  const random = seededRandom(11);
  const rows = new Int8Array(wordPieces.size * width);
  for (const [token, kind] of [...wordPieces.values()].entries()) {
    const row = rows.subarray(token * width, (token + 1) * width);
    const value = kind === 'special' ? specialValue : 1;
    row.set([value, -value], 2 * kindLanes[kind]);
    if (kind === 'special') continue;
    row.set([1, -1], 2 * wordLane);
    row.set(pattern(width - patternStart(layout), random), patternStart(layout));
  }
  return rows;
}

/** As many +1 as -1, in random order. */
function pattern(length: number, random: () => number): number[] {
  const signs: number[] = Array.from({ length }, (_, place) => (place % 2 === 0 ? 1 : -1));
  for (let place = length - 1; place > 0; place--) {
    const other = Math.floor(random() * (place + 1));
    [signs[place], signs[other]] = [signs[other] ?? 0, signs[place] ?? 0];
  }
  return signs;
}
