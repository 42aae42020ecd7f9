import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';

const folder = join(import.meta.dirname, 'corpus');

/** An input that once broke something, kept so that it never does so again unnoticed. */
export interface Found {
  readonly target: string;
  readonly seed: number;
  readonly error: string;
  readonly replay: string;
  readonly input: string;
}

/** Inputs are bytes; JSON holds them as latin1, one character a byte, which leaves most of them readable. */
const toText = (input: Buffer) => input.toString('latin1');
const toBytes = (text: string) => Buffer.from(text, 'latin1');

/** Every input that is kept for a target: those that reached something, and those that broke something. */
export function readCorpus(target: string): Buffer[] {
  return [...readReached(target), ...readFound(target)];
}

function readReached(target: string): Buffer[] {
  return globSync(join(folder, `${target}.json`)).flatMap((file) =>
    (JSON.parse(readFileSync(file, 'utf8')) as string[]).map(toBytes),
  );
}

function readFound(target: string): Buffer[] {
  return globSync(join(folder, 'found', `${target}-*.json`)).map((file) => readFoundInput(file).input);
}

export function readFoundInput(file: string): { target: string; input: Buffer } {
  const { target, input } = JSON.parse(readFileSync(file, 'utf8')) as Found;
  return { target, input: toBytes(input) };
}

/** Larger inputs are not kept, unless they broke something. */
const MOST_BYTES = 600;

/** Keeps the smallest inputs first, as many as the repository should bear. */
export function writeCorpus(target: string, inputs: readonly Buffer[], most: number): void {
  const kept = [...new Set(inputs.filter(({ length }) => length <= MOST_BYTES).map(toText))].sort(
    (a, b) => a.length - b.length || (a < b ? -1 : 1),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${target}.json`), `${JSON.stringify(kept.slice(0, most), null, 1)}\n`);
}

/** Answers the file, as seen from the project. */
export function writeFound(target: string, seed: number, input: Buffer, error: unknown): string {
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = join(folder, 'found', `${target}-${digest}.json`);
  const place = relative(projectFolder, file);
  const found: Found = {
    ...{ target, seed, error: String(error), replay: `npm run fuzz -- --replay ${place}` },
    input: toText(input),
  };
  mkdirSync(join(folder, 'found'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  return place;
}
