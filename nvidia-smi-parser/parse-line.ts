import type { GpuSample } from './gpu-sample.ts';
import { type GpuTrouble, parseTrouble } from './gpu-trouble.ts';
import { parseMode, parseNumber, parseText } from './parse-cell.ts';
import type { Query, QueryField } from './query.ts';
import { parseSlowdowns } from './slowdowns.ts';

/** What one line of nvidia-smi's output is. */
export type SmiLine =
  | { readonly kind: 'sample'; readonly sample: GpuSample }
  | { readonly kind: 'unknown-name'; readonly name: string }
  | { readonly kind: 'trouble'; readonly trouble: GpuTrouble }
  | { readonly kind: 'noise' };

const MIB = 1024 ** 2;
const MEGAHERTZ = 1e6;
const unknownName = /Field "([^"]+)" is not a valid field to query/;

export function parseLine(line: string, query: Query, at: number): SmiLine {
  const sample = readSample(line, query, at);
  if (sample) return { kind: 'sample', sample };
  const name = unknownName.exec(line)?.[1];
  if (name !== undefined) return { kind: 'unknown-name', name };
  const trouble = parseTrouble(line);
  return trouble === undefined ? { kind: 'noise' } : { kind: 'trouble', trouble };
}

function readSample(line: string, query: Query, at: number): GpuSample | undefined {
  const cells = line.split(',').map((cell) => cell.trim());
  const index = Number(cells[0]);
  if (cells.length !== query.size || !/^\d{1,3}$/.test(cells[0] ?? '')) return undefined;
  const questions = [...query.keys()];
  const cell = (question: QueryField) => cells[questions.indexOf(question)] ?? '';
  const figure = (question: QueryField, most: number) => parseNumber(cell(question), most);
  const ratio = (question: QueryField) => scaled(figure(question, 100), 0.01);
  return {
    at,
    index,
    uuid: parseText(cell('uuid')),
    name: parseText(cell('name')),
    driver: parseText(cell('driver')),
    utilization: ratio('utilization'),
    memoryActivity: ratio('memoryActivity'),
    memoryUsed: scaled(figure('memoryUsed', 1e8), MIB),
    memoryTotal: scaled(figure('memoryTotal', 1e8), MIB),
    temperature: figure('temperature', 200),
    memoryTemperature: figure('memoryTemperature', 200),
    power: figure('power', 10_000),
    powerLimit: figure('powerLimit', 10_000),
    smClock: scaled(figure('smClock', 10_000), MEGAHERTZ),
    memoryClock: scaled(figure('memoryClock', 100_000), MEGAHERTZ),
    // Of the speed that is meant to be its highest: some turn faster.
    fan: scaled(figure('fan', 300), 0.01),
    slowdowns: parseSlowdowns(cell('slowdowns')),
    eccCorrected: figure('eccCorrected', 1e14),
    eccUncorrected: figure('eccUncorrected', 1e14),
    mig: parseMode(cell('mig')),
    recoveryAction: parseText(cell('recoveryAction')),
  };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
