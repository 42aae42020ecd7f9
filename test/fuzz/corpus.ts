import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';

const folder = join(import.meta.dirname, 'corpus');

/** Inputs that once failed together. They are kept, and the tests try them again. */
interface KeptFailure {
  readonly target: string;
  readonly error: string;
  readonly replay: string;
  readonly inputs: readonly string[];
}

/** Inputs are bytes. JSON holds them as latin1, one character a byte, which leaves most of them readable. */
const toText = (input: Buffer) => input.toString('latin1');
const toBytes = (text: string) => Buffer.from(text, 'latin1');

/** The inputs that are kept for a target: those that reached many parts of the code, and those that failed once. */
export function readCorpus(target: string): Buffer[] {
  const kept = globSync(join(folder, `${target}.json`)).flatMap(
    (file) => JSON.parse(readFileSync(file, 'utf8')) as string[],
  );
  const failed = globSync(join(folder, 'found', `${target}-*.json`)).flatMap(
    (file) => readFailure(file).inputs,
  );
  return [...kept.map(toBytes), ...failed];
}

export function readFailure(file: string): { target: string; inputs: Buffer[] } {
  const { target, inputs } = JSON.parse(readFileSync(file, 'utf8')) as KeptFailure;
  return { target, inputs: inputs.map(toBytes) };
}

/** Returns the path of the file, from the root of the repository. */
export function writeFailure(target: string, inputs: readonly Buffer[], error: unknown): string {
  const digest = createHash('sha256').update(Buffer.concat(inputs)).digest('hex').slice(0, 12);
  const file = join(folder, 'found', `${target}-${digest}.json`);
  const path = relative(projectFolder, file);
  const kept: KeptFailure = {
    ...{ target, error: String(error), replay: `npm run fuzz -- --replay ${path}` },
    inputs: inputs.map(toText),
  };
  mkdirSync(join(folder, 'found'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
  return path;
}
