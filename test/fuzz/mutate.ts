import type { Random } from './random.ts';

/** Where readers tend to go wrong, whatever they read. */
const awkward = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '\n\n',
    '"',
    '\\',
    '\\"',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    ' ',
    '\u2028',
    '\ufeff',
    '🐎',
    'é',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '9007199254740993',
    '\\ud800',
  ],
  ...['99999999999999999999', '-0', '0x10', 'NaN', '%00', '../', "'", '1'.repeat(400)],
].map((text) => Buffer.from(text));
const bytes = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xff];

export interface Material {
  /** What the target understands: words of its language. */
  readonly words: readonly Buffer[];
  /** Inputs that are known already, for grafting. */
  readonly others: readonly Buffer[];
  readonly mostBytes: number;
}

/** The input with one to a few changes. */
export function mutate(input: Buffer, material: Material, random: Random): Buffer {
  let mutated = input;
  const times = 1 + random.below(random.below(6) + 1);
  for (let n = 0; n < times; n++) mutated = random.pick(changes)(mutated, material, random);
  return mutated.subarray(0, material.mostBytes);
}

type Change = (input: Buffer, material: Material, random: Random) => Buffer;

/** Puts something in place of what stands from `at` up to `end`. */
function spliced(input: Buffer, at: number, end: number, piece: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), piece, input.subarray(end)]);
}

function span(input: Buffer, random: Random): [at: number, end: number] {
  const at = random.below(input.length + 1);
  return [at, Math.min(input.length, at + random.below(random.pick([2, 8, 64]) + 1))];
}

const word = ({ words }: Material, random: Random) =>
  random.pick(random.below(3) > 0 && words.length > 0 ? words : awkward);

const changes: readonly Change[] = [
  function flipBit(input, _, random) {
    const changed = Buffer.from(input);
    const at = random.below(input.length);
    if (input.length > 0) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  function replaceByte(input, _, random) {
    const changed = Buffer.from(input);
    if (input.length > 0) changed[random.below(input.length)] = random.pick(bytes);
    return changed;
  },
  function remove(input, _, random) {
    return spliced(input, ...span(input, random), Buffer.alloc(0));
  },
  function repeat(input, _, random) {
    const [at, end] = span(input, random);
    const piece = input.subarray(at, end);
    const times = random.pick([1, 2, 10, 300]);
    return spliced(input, end, end, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  function insertWord(input, material, random) {
    const at = random.below(input.length + 1);
    return spliced(input, at, at, word(material, random));
  },
  function replaceByWord(input, material, random) {
    return spliced(input, ...span(input, random), word(material, random));
  },
  function graft(input, { others }, random) {
    if (others.length === 0) return input;
    const other = random.pick(others);
    const [from, until] = span(other, random);
    return spliced(
      input,
      ...span(input, random),
      other.subarray(from, random.below(2) ? until : other.length),
    );
  },
  function move(input, _, random) {
    const [at, end] = span(input, random);
    const rest = spliced(input, at, end, Buffer.alloc(0));
    const to = random.below(rest.length + 1);
    return spliced(rest, to, to, input.subarray(at, end));
  },
];
