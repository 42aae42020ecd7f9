import { add, type Matrix, zeros } from '../matrix.ts';
import { type Layout, patternStart } from './token-rows.ts';

/** A sum of lanes with their factors. */
export type LaneSum = readonly (readonly [lane: number, factor: number])[];

/**
 * A layer with one attention head over the complete width, built term by term: each term of attention takes one
 * dimension of query and key, each written lane one dimension of the values.
 */
export class AttentionLayer {
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly output: Matrix;
  readonly queryBias: Float32Array;
  readonly #layout: Layout;
  #terms = 0;
  #writes = 0;

  constructor(layout: Layout) {
    const square = () => zeros(layout.width, layout.width);
    [this.query, this.key, this.value, this.output] = [square(), square(), square(), square()];
    this.queryBias = new Float32Array(layout.width);
    this.#layout = layout;
  }

  /** Adds `nats` times the product of both sums to the attention of one token to another. */
  attend(nats: number, from: LaneSum, to: LaneSum): void {
    const factor = this.#factor(nats);
    for (const [lane, share] of from)
      add(this.query, this.#terms, 2 * lane, share * factor * Math.sign(nats));
    for (const [lane, share] of to) add(this.key, this.#terms, 2 * lane, share * factor);
    this.#terms++;
  }

  /** The same for every token that attends. */
  alwaysAttend(nats: number, to: LaneSum): void {
    this.queryBias[this.#terms] = this.#factor(nats) * Math.sign(nats);
    this.attend(nats, [], to);
  }

  /** Adds `nats` if both tokens have the same pattern. */
  attendToEqual(nats: number): void {
    for (const dimension of this.#patternDimensions()) {
      const factor = this.#factor(nats / this.#patternDimensions().length);
      add(this.query, this.#terms, dimension, factor);
      add(this.key, this.#terms++, dimension, factor);
    }
  }

  /** Adds the mean of the sum over the tokens that get the attention to a lane. */
  write(lane: number, sum: LaneSum): void {
    for (const [from, factor] of sum) add(this.value, this.#writes, 2 * from, factor);
    add(this.output, 2 * lane, this.#writes, 1);
    add(this.output, 2 * lane + 1, this.#writes++, -1);
  }

  /** Adds the mean of the patterns, `factor` times. */
  writePatterns(factor: number): void {
    for (const dimension of this.#patternDimensions()) {
      add(this.value, this.#writes, dimension, 1);
      add(this.output, dimension, this.#writes++, factor);
    }
  }

  #patternDimensions(): number[] {
    const start = patternStart(this.#layout);
    return Array.from({ length: this.#layout.width - start }, (_, place) => start + place);
  }

  /** Attention divides the product of query and key by the root of the width. */
  #factor(nats: number): number {
    return Math.sqrt(Math.abs(nats) * Math.sqrt(this.#layout.width));
  }
}
