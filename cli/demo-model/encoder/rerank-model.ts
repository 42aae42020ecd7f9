import { add, type Matrix, zeros } from '../matrix.ts';
import { AttentionLayer, type LaneSum } from './attention-layer.ts';
import { encoderBytes, encoderContext, pooling } from './encoder-file.ts';
import { kindLanes, type Layout, logWeights, specialValue, wordLane } from './token-rows.ts';

/*
 * The score of a document grows with the share of the words of the query that it contains, and a little with the share
 * of its own words that are in the query. llama-server reads both texts as one: [CLS] query [SEP] document. Each layer
 * has one task and writes the result into a lane:
 *
 * - sides: a token attends to the separator before it, or, if there is none, to the first token.
 * - matches: a word attends to the equal words of the other side, or, if there are none, to the first token.
 * - shares, twice: the first token attends to all words of one side.
 */

/** The score of two texts without a common word, and what each share adds to it. */
export const rerankScore = { base: -5, queryShare: 8, documentShare: 2 } as const;

const lanes = {
  ...kindLanes,
  /** At first of all words, then of those of the query. */
  query: wordLane,
  document: 5,
  cosine: 6,
  sine: 7,
  first: 8,
  match: 9,
  queryShare: 10,
  documentShare: 11,
} as const;

/** With patterns of 94 dimensions and two lanes, a word has the norm of a special token. */
const layout: Layout = { width: 128, lanes: 17 };

const queryWord: LaneSum = [[lanes.query, 1]];
const documentWord: LaneSum = [[lanes.document, 1]];
/** 1 for [CLS] and [SEP]. */
const special: LaneSum = [[lanes.special, 1 / specialValue]];
const first: LaneSum = [[lanes.first, 1]];

/** The position of a token as an angle; all of them within half a circle. */
const turn = Math.PI / (encoderContext + 8);
/** Nats of attention for a quarter of a circle: enough that one position decides, in spite of 16-bit rounding. */
const sideNats = 8000;

/** Nats of attention for an equal pattern, and as many for a word of the other side. */
const matchNats = 300;
/** What a match must exceed: it has 2, and a similar pattern on the other side has less than 1.6. */
const matchThreshold = 1.75;
/** Small, so that it hardly changes the norm of a token. */
const matchValue = 1 / 8;

/** Nats by which attention avoids the tokens that do not count. */
const avoidance = 100;

/** The demo rerank model as a GGUF file: the same bytes on every machine. */
export function rerankModelBytes(): Buffer {
  return encoderBytes({
    name: 'llama-corral demo, rerank',
    layout,
    pooling: pooling.rank,
    norm: Math.hypot(specialValue, specialValue, 1, 1),
    positions: positions(),
    layers: [
      sides(),
      matches(),
      share(lanes.queryShare, documentWord),
      share(lanes.documentShare, queryWord),
    ],
    classifier: { row: classifierRow(), bias: rerankScore.base },
  });
}

/** The first token has a lane instead of an angle, so that all positions have the same norm. */
function positions(): Matrix {
  const rows = zeros(encoderContext, layout.width);
  const set = (position: number, lane: number, value: number) => {
    add(rows, position, 2 * lane, value);
    add(rows, position, 2 * lane + 1, -value);
  };
  set(0, lanes.first, 1);
  for (let position = 1; position < encoderContext; position++) {
    set(position, lanes.cosine, Math.cos(turn * position));
    set(position, lanes.sine, Math.sin(turn * position));
  }
  return rows;
}

/** The sine of the difference of two positions is positive if the separator is before the token. */
function sides(): AttentionLayer {
  const layer = new AttentionLayer(layout);
  layer.attend(sideNats, [[lanes.sine, 1]], [[lanes.cosine, 1]]);
  layer.attend(sideNats, [[lanes.cosine, -1]], [[lanes.sine, 1]]);
  layer.alwaysAttend(1.5 * sideNats, special);
  layer.alwaysAttend(sideNats * Math.sin(turn / 2), first);
  layer.write(lanes.document, [...special, [lanes.first, -1]]);
  layer.write(lanes.query, [
    [lanes.special, -1 / specialValue],
    [lanes.first, 1],
  ]);
  return layer;
}

function matches(): AttentionLayer {
  const layer = new AttentionLayer(layout);
  layer.attendToEqual(matchNats);
  layer.attend(matchNats, queryWord, documentWord);
  layer.attend(matchNats, documentWord, queryWord);
  layer.alwaysAttend(matchNats * matchThreshold, first);
  layer.write(lanes.match, [
    [lanes.query, matchValue],
    [lanes.document, matchValue],
  ]);
  return layer;
}

/** The share of the words that are not `avoided`. */
function share(lane: number, avoided: LaneSum): AttentionLayer {
  const layer = new AttentionLayer(layout);
  layer.alwaysAttend(1, logWeights);
  layer.alwaysAttend(-avoidance, [...avoided, ...special]);
  layer.write(lane, [[lanes.match, 1]]);
  return layer;
}

function classifierRow(): Float32Array {
  const row = new Float32Array(layout.width);
  row[2 * lanes.queryShare] = rerankScore.queryShare / matchValue;
  row[2 * lanes.documentShare] = rerankScore.documentShare / matchValue;
  return row;
}
