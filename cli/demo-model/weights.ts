import {
  assistant,
  type CutStory,
  closeCall,
  end,
  filler,
  openCall,
  printable,
  type Step,
  spellings,
  user,
  type Vocabulary,
} from './vocabulary.ts';

/*
 * How a text that is known becomes a transformer, without training.
 *
 * The residual stream carries the last token's embedding to the head: all matrices in between are zero, but for a
 * switch. An embedding is a few marks of fixed meaning, then a random pattern of +1 and -1 by which the token is told
 * from all others. The head's row of a token looks for the marks and patterns of those it follows. So it is a Markov
 * chain, and the wanted token stands far above all others.
 *
 * The switch is one attention head. Its query is the same everywhere; its key is large for the words that ask for a
 * story; its value and output write the mark of that story into the stream, wherever in the prompt the word stood. Query
 * and key lie in the slowest pair of the rotary embedding, an eighth of a circle apart: there the product falls evenly
 * with the distance, and of two words the later one wins. The user's role token is heard a little less than a word, and
 * asks for nothing: so a question without such a word gets the welcome, whatever was asked before.
 */

export const width = 256;
export const heads = 4;
export const headWidth = width / heads;
const patternBegins = 64;

/** Nats between a token that is wanted with strength 1 and one that nothing speaks for. */
const certainty = 300;

/** How far the slowest rotary pair turns with each token, in radians: an eighth of a circle in 18,000. */
const turn = Math.PI / 4 / 18_000;
export const ropeBase = turn ** (-headWidth / (headWidth - 2));
const slowestPair = headWidth - 2;

/** Nats by which a word that asks is heard above all that does not. */
const loudness = 6000;
/** The role token's share of it: exact in 16 bits, and some 5 nats less. */
const roleLoudness = 1 - 2 / 2048;

const always = 0;
const heard = 1;
const marksBegin = 2;

export interface Weights {
  readonly embedding: Matrix;
  readonly head: Matrix;
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly output: Matrix;
}

export function createWeights(stories: readonly CutStory[], vocabulary: Vocabulary): Weights {
  const chain = new Chain(vocabulary, stories.length);
  const firstWords: [string, Strength][] = [
    [openCall, beginnings.callAfterRole],
    ['{', beginnings.objectAfterRole],
  ];
  for (const [index, { askedBy, steps }] of stories.entries()) {
    const first = steps[0]?.said[0] ?? '';
    if (index === 0) chain.want(first, always, beginnings.welcomeAnywhere);
    else chain.want(first, told(index), beginnings.storyWhenAskedFor);
    firstWords.push([first, index === 0 ? beginnings.welcomeAfterRole : beginnings.storyAfterRole]);
    for (const word of askedBy.flatMap(spellings)) chain.mark(word, heard, asks(index));
    chain.link(steps);
  }
  chain.wantAfter([assistant], firstWords);
  chain.wantAfter(
    stories.flatMap(({ steps }) => endingsOf(steps.at(-1))),
    afterTheEnd,
  );
  for (const { after, wants } of grammarSuccessors) chain.wantAfter(after, wants);
  for (const character of printable) chain.want(character, always, characterOverByte);
  hearRole(chain.embedding, vocabulary.idOf(user));
  return { embedding: chain.embedding, head: chain.head, ...switchBetween(stories.length) };
}

/** Its mark asks for the welcome, which needs no asking: it makes the token as long as a word's before both are normalized. */
function hearRole(embedding: Matrix, token: number): void {
  add(embedding, token, heard, roleLoudness);
  add(embedding, token, asks(0), 1);
}

/** The mark of a word that asks for a story, and the mark that the switch makes of it. */
const asks = (story: number) => marksBegin + 2 * story;
const told = (story: number) => marksBegin + 2 * story + 1;

/** A step is over when its last byte was said, or when it was heard as a whole. */
function endingsOf(step: Step | undefined): string[] {
  return step ? [...new Set([step.said.at(-1) ?? '', step.heard])] : [];
}

/** The embedding and the head, which together say what follows what. */
class Chain {
  readonly embedding: Matrix;
  readonly head: Matrix;
  readonly #vocabulary: Vocabulary;
  #marksUsed: number;

  constructor(vocabulary: Vocabulary, stories: number) {
    this.#vocabulary = vocabulary;
    this.#marksUsed = told(stories);
    this.embedding = patterns(vocabulary.tokens.length);
    this.head = zeros(vocabulary.tokens.length, width);
  }

  mark(token: string, ...marks: readonly number[]): void {
    for (const mark of marks) add(this.embedding, this.#vocabulary.idOf(token), mark, 1);
  }

  want(token: string, mark: number, strength: Strength): void {
    add(this.head, this.#vocabulary.idOf(token), mark, strength * certainty);
  }

  /** These tokens get a mark of their own, which is exact where patterns are a little alike. */
  wantAfter(tokens: readonly string[], wants: readonly (readonly [string, Strength])[]): void {
    const mark = this.#marksUsed++;
    if (mark >= patternBegins) throw new Error('the demo model has no marks left');
    for (const token of tokens) this.mark(token, mark);
    for (const [token, strength] of wants) this.want(token, mark, strength);
  }

  link(steps: readonly Step[]): void {
    for (const [index, { said }] of steps.entries()) {
      for (const [place, token] of said.entries()) {
        const before = place === 0 ? endingsOf(steps[index - 1]) : [said[place - 1] ?? ''];
        for (const previous of before) this.#follow(previous, token);
      }
    }
  }

  #follow(previous: string, token: string): void {
    const [from, to] = [this.#vocabulary.idOf(previous), this.#vocabulary.idOf(token)];
    const each = certainty / (width - patternBegins);
    for (let column = patternBegins; column < width; column++) {
      add(this.head, to, column, each * (this.embedding.values[from * width + column] ?? 0));
    }
  }
}

function patterns(tokens: number): Matrix {
  const random = seededRandom(7);
  const embedding = zeros(tokens, width);
  for (let token = 0; token < tokens; token++) {
    add(embedding, token, always, 1);
    for (let column = patternBegins; column < width; column++) {
      add(embedding, token, column, random() < 0.5 ? -1 : 1);
    }
  }
  return embedding;
}

function switchBetween(stories: number): Pick<Weights, 'query' | 'key' | 'value' | 'output'> {
  const [query, key, value, output] = [
    zeros(width, width),
    zeros(headWidth, width),
    zeros(headWidth, width),
    zeros(width, width),
  ];
  const side = Math.sqrt(loudness * Math.sqrt(headWidth));
  add(query, slowestPair, always, side * Math.SQRT1_2);
  add(query, slowestPair + 1, always, side * Math.SQRT1_2);
  add(key, slowestPair, heard, side);
  for (let story = 1; story < stories; story++) {
    add(value, story, asks(story), 1);
    add(output, told(story), story, 1);
  }
  return { query, key, value, output };
}

/** Rows of numbers, one after another, as GGUF stores a matrix of `columns` inputs and `rows` outputs. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float32Array(rows * columns) };
}

function add({ columns, values }: Matrix, row: number, column: number, value: number): void {
  const at = row * columns + column;
  values[at] = (values[at] ?? 0) + value;
}

/** Mulberry32: the same numbers from the same seed everywhere, between 0 and 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From 0 to 1: how strongly one token is wanted after another. The strongest that a grammar allows is said. */
type Strength = number;

/**
 * What follows where no story goes on, in the order of preference. Under a schema or a forced tool call llama-server
 * takes the strongest one that its grammar allows, so these few preferences end every string, list and object soon.
 * Outside of strings they are weaker than the welcome, which plain text gets that ends in one of these characters.
 */
const grammarSuccessors: readonly {
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
const characterOverByte: Strength = 0.05;

/**
 * How strongly a reply's first token is wanted. The welcome wins until a word that asks for another story is heard; where
 * a grammar forbids both, a call or an object comes before a story that nobody asked for.
 */
const beginnings = {
  welcomeAnywhere: 0.35,
  welcomeAfterRole: 0.65,
  storyWhenAskedFor: 0.5,
  storyAfterRole: 0.7,
  callAfterRole: 0.85,
  objectAfterRole: 0.75,
} as const;

/** What is wanted after the last token of a story. */
const afterTheEnd: readonly [string, Strength][] = [
  [end, 1],
  [openCall, 0.8],
  ['"', 0.6],
];
