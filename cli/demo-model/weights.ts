import { add, type Matrix, seededRandom, zeros } from './matrix.ts';
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
 * Builds the weights of a transformer that reproduces known text, without training.
 *
 * The residual stream carries the embedding of the last token to the output layer. All matrices in between are zero, except
 * for one attention head. An embedding consists of a few marks with a fixed meaning and a random pattern of +1 and -1 that
 * identifies the token. The output row of a token matches the marks and patterns of the tokens that it follows. The result
 * is a Markov chain in which the right token is far ahead of all others.
 *
 * The attention head selects the story. Its query is constant, its key is large for keywords, and its value and output
 * write the mark of the story into the stream, wherever in the prompt the keyword is. Query and key use the slowest pair of
 * the rotary embedding, an eighth of a circle apart: there the product decreases evenly with the distance, so that of two
 * keywords the later one wins. The user's role token has a slightly smaller key than a keyword and selects nothing, so a
 * question without a keyword gets the welcome, whatever was asked before.
 */

export const width = 256;
export const heads = 4;
export const headWidth = width / heads;
const patternStart = 64;

/** Nats between a token of strength 1 and a token without any. */
const certainty = 300;

/** Rotation of the slowest rotary pair per token, in radians: an eighth of a circle in 18,000 tokens. */
const turn = Math.PI / 4 / 18_000;
export const ropeBase = turn ** (-headWidth / (headWidth - 2));
const slowestPair = headWidth - 2;

/** Nats of attention for a keyword above everything else. */
const loudness = 6000;
/** The share of the role token: exact in 16 bits, and some 5 nats less. */
const roleLoudness = 1 - 2 / 2048;

const constantMark = 0;
const keywordMark = 1;
const firstFreeMark = 2;

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
    [openCall, firstTokenStrengths.callAfterRole],
    ['{', firstTokenStrengths.objectAfterRole],
  ];
  for (const [index, { keywords, steps }] of stories.entries()) {
    const first = steps[0]?.outputTokens[0] ?? '';
    if (index === 0) chain.prefer(first, constantMark, firstTokenStrengths.welcomeAnywhere);
    else chain.prefer(first, storyMark(index), firstTokenStrengths.storyWhenAskedFor);
    firstWords.push([
      first,
      index === 0 ? firstTokenStrengths.welcomeAfterRole : firstTokenStrengths.storyAfterRole,
    ]);
    for (const word of keywords.flatMap(spellings)) chain.mark(word, keywordMark, topicMark(index));
    chain.link(steps);
  }
  chain.preferAfter([assistant], firstWords);
  chain.preferAfter(
    stories.flatMap(({ steps }) => endingsOf(steps.at(-1))),
    afterTheEnd,
  );
  for (const { after, preferences } of grammarSuccessors) chain.preferAfter(after, preferences);
  for (const character of printable) chain.prefer(character, constantMark, characterBonus);
  markRole(chain.embedding, vocabulary.idOf(user));
  return { embedding: chain.embedding, head: chain.head, ...switchBetween(stories.length) };
}

/** Its mark selects the welcome, the default. It makes the token as long as a keyword before both are normalized. */
function markRole(embedding: Matrix, token: number): void {
  add(embedding, token, keywordMark, roleLoudness);
  add(embedding, token, topicMark(0), 1);
}

/** The mark of a keyword, and the mark that the attention head derives from it. */
export const topicMark = (story: number) => firstFreeMark + 2 * story;
const storyMark = (story: number) => firstFreeMark + 2 * story + 1;

/** A step ends with its last byte, or with its single token. */
function endingsOf(step: Step | undefined): string[] {
  return step ? [...new Set([step.outputTokens.at(-1) ?? '', step.inputToken])] : [];
}

/** Embedding and output layer, which together define what follows what. */
class Chain {
  readonly embedding: Matrix;
  readonly head: Matrix;
  readonly #vocabulary: Vocabulary;
  #marksUsed: number;

  constructor(vocabulary: Vocabulary, stories: number) {
    this.#vocabulary = vocabulary;
    this.#marksUsed = storyMark(stories);
    this.embedding = patterns(vocabulary.tokens.length);
    this.head = zeros(vocabulary.tokens.length, width);
  }

  mark(token: string, ...marks: readonly number[]): void {
    for (const mark of marks) add(this.embedding, this.#vocabulary.idOf(token), mark, 1);
  }

  prefer(token: string, mark: number, strength: Strength): void {
    add(this.head, this.#vocabulary.idOf(token), mark, strength * certainty);
  }

  /** These tokens get a separate mark, which is exact, whereas patterns are slightly similar. */
  preferAfter(tokens: readonly string[], preferences: readonly (readonly [string, Strength])[]): void {
    const mark = this.#marksUsed++;
    if (mark >= patternStart) throw new Error('the demo model has no marks left');
    for (const token of tokens) this.mark(token, mark);
    for (const [token, strength] of preferences) this.prefer(token, mark, strength);
  }

  link(steps: readonly Step[]): void {
    for (const [index, { outputTokens }] of steps.entries()) {
      for (const [place, token] of outputTokens.entries()) {
        const before = place === 0 ? endingsOf(steps[index - 1]) : [outputTokens[place - 1] ?? ''];
        for (const previous of before) this.#follow(previous, token);
      }
    }
  }

  #follow(previous: string, token: string): void {
    const [from, to] = [this.#vocabulary.idOf(previous), this.#vocabulary.idOf(token)];
    const each = certainty / (width - patternStart);
    for (let column = patternStart; column < width; column++) {
      add(this.head, to, column, each * (this.embedding.values[from * width + column] ?? 0));
    }
  }
}

function patterns(tokens: number): Matrix {
  const random = seededRandom(7);
  const embedding = zeros(tokens, width);
  for (let token = 0; token < tokens; token++) {
    add(embedding, token, constantMark, 1);
    for (let column = patternStart; column < width; column++) {
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
  add(query, slowestPair, constantMark, side * Math.SQRT1_2);
  add(query, slowestPair + 1, constantMark, side * Math.SQRT1_2);
  add(key, slowestPair, keywordMark, side);
  for (let story = 1; story < stories; story++) {
    add(value, story, topicMark(story), 1);
    add(output, storyMark(story), story, 1);
  }
  return { query, key, value, output };
}

/**
 * How strongly a token is preferred after another one, from 0 to 1. The strongest one that a grammar allows is
 * generated.
 */
type Strength = number;

/**
 * What follows outside a story, in order of preference. With a schema or a forced tool call, llama-server takes the
 * strongest token that its grammar allows, so these preferences soon end every string, list and object. Outside
 * strings they are weaker than the welcome.
 */
const grammarSuccessors: readonly {
  after: readonly string[];
  preferences: readonly [string, Strength][];
}[] = [
  { after: ['"'], preferences: [[filler, 1], ...inOrder(':', '}', ']', ',')] },
  { after: [filler], preferences: [['"', 1]] },
  { after: [':'], preferences: inOrder('"', '1', '{', '[', 't') },
  { after: [','], preferences: inOrder('"', '1', '{', '[') },
  { after: ['['], preferences: inOrder('"', '1', '{', ']') },
  { after: ['{'], preferences: inOrder('"', '}') },
  { after: ['}'], preferences: inOrder(end, closeCall, '}', ']', ',') },
  { after: [']', 'e', 'l', ...'0123456789'], preferences: inOrder('}', ']', ',', end) },
  { after: [openCall], preferences: [['{', 1]] },
  { after: [closeCall], preferences: [[end, 1]] },
];

function inOrder(...tokens: readonly string[]): [string, Strength][] {
  return tokens.map((token, place) => [token, 0.3 - 0.05 * place]);
}

/** Digits, letters and signs are preferred to the byte tokens of the same characters. */
const characterBonus: Strength = 0.05;

/**
 * Preference for the first token of a reply. The welcome wins without a keyword; if a grammar forbids it, a call or
 * an object comes before a story.
 */
const firstTokenStrengths = {
  welcomeAnywhere: 0.35,
  welcomeAfterRole: 0.65,
  storyWhenAskedFor: 0.5,
  storyAfterRole: 0.7,
  callAfterRole: 0.85,
  objectAfterRole: 0.75,
} as const;

/** What follows the last token of a story. */
const afterTheEnd: readonly [string, Strength][] = [
  [end, 1],
  [openCall, 0.8],
  ['"', 0.6],
];
