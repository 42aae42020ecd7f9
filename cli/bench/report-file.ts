import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { replaceFile } from '../../keys/replace-file.ts';
import { UsageError } from '../run-command.ts';
import type { Step } from './plan.ts';
import { type Conditions, parseReport, type Report, type StepReport } from './report.ts';

/** Undefined where there is none. */
export async function readReport(file: string): Promise<Report | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UsageError(`${file} cannot be read (${error.code})`);
  });
  if (text === undefined) return undefined;
  try {
    return parseReport(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** In one piece, or not at all. */
export async function writeReport(file: string, report: Report): Promise<void> {
  await replaceFile(file, `${file}.${process.pid}.new`, `${JSON.stringify(report, null, 2)}\n`);
}

/** The whole steps of an earlier run that was made under the same conditions. Throws where it was another run. */
export function stepsToKeep(
  { conditions: earlier, steps: measured }: Report,
  conditions: Conditions,
  steps: readonly Step[],
): StepReport[] {
  const other = (Object.keys(conditions) as (keyof Conditions)[]).filter(
    (name) => !isDeepStrictEqual(earlier[name], conditions[name]),
  );
  if (other.length > 0)
    throw new UsageError(
      `the run to resume differs in ${other.join(', ')}: use the same options, or another file`,
    );
  const wanted = new Set(steps.map(({ name }) => name));
  return measured.filter(({ name, isPartial }) => !isPartial && wanted.has(name));
}
