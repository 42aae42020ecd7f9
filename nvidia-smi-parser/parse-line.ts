import { type GpuSample, parseSlowdowns } from './gpu-sample.ts';
import { type GpuTrouble, parseTrouble } from './gpu-trouble.ts';
import type { Query, QueryField } from './query.ts';

/** One line of nvidia-smi's output. */
export type SmiLine =
  | { readonly kind: 'sample'; readonly sample: GpuSample }
  | { readonly kind: 'unknown-field'; readonly name: string }
  | { readonly kind: 'trouble'; readonly trouble: GpuTrouble }
  | { readonly kind: 'other' };

const MIB = 1024 ** 2;
const MEGAHERTZ = 1e6;
const unknownField = /Field "([^"]+)" is not a valid field to query/;

export function parseLine(line: string, query: Query, at: number): SmiLine {
  const sample = parseSample(line, query, at);
  if (sample) return { kind: 'sample', sample };
  const name = unknownField.exec(line)?.[1];
  if (name !== undefined) return { kind: 'unknown-field', name };
  const trouble = parseTrouble(line);
  return trouble === undefined ? { kind: 'other' } : { kind: 'trouble', trouble };
}

function parseSample(line: string, query: Query, at: number): GpuSample | undefined {
  const cells = line.split(',').map((cell) => cell.trim());
  const index = Number(cells[0]);
  if (cells.length !== query.size || !/^\d{1,3}$/.test(cells[0] ?? '')) return undefined;
  const fields = [...query.keys()];
  const cell = (field: QueryField) => cells[fields.indexOf(field)] ?? '';
  const number = (field: QueryField, max: number) => parseNumber(cell(field), max);
  const ratio = (field: QueryField) => scale(number(field, 100), 0.01);
  return {
    at,
    index,
    uuid: parseText(cell('uuid')),
    name: parseText(cell('name')),
    driver: parseText(cell('driver')),
    utilization: ratio('utilization'),
    memoryActivity: ratio('memoryActivity'),
    memoryUsed: scale(number('memoryUsed', 1e8), MIB),
    memoryTotal: scale(number('memoryTotal', 1e8), MIB),
    temperature: number('temperature', 200),
    memoryTemperature: number('memoryTemperature', 200),
    power: number('power', 10_000),
    powerLimit: number('powerLimit', 10_000),
    smClock: scale(number('smClock', 10_000), MEGAHERTZ),
    memoryClock: scale(number('memoryClock', 100_000), MEGAHERTZ),
    // Percent of the nominal maximum speed: some fans exceed 100 %.
    fan: scale(number('fan', 300), 0.01),
    slowdowns: parseSlowdowns(cell('slowdowns')),
    eccCorrected: number('eccCorrected', 1e14),
    eccUncorrected: number('eccUncorrected', 1e14),
    mig: parseMode(cell('mig')),
    recoveryAction: parseText(cell('recoveryAction')),
  };
}

function scale(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/**
 * Cells are free text: instead of a number a cell may hold `[N/A]`, `[Not Supported]`, `[Insufficient Permissions]`,
 * `[Unknown Error]`, `[GPU is lost]`, `ERR!` or `[Requested functionality has been deprecated]`.
 */
const numberCell = /^(\d{1,15}(?:\.\d+)?)(?: (?:%|MiB|W|MHz|C))?$/;

/** Undefined also above `max`: some drivers print −1 as an unsigned number. */
function parseNumber(cell: string, max: number): number | undefined {
  const match = numberCell.exec(cell);
  const value = Number(match?.[1]);
  return match && value <= max ? value : undefined;
}

/** Undefined if the cell holds a placeholder. */
function parseText(cell: string): string | undefined {
  return cell === '' || /^(\[.*\]|N\/A|ERR!|Unknown Error)$/.test(cell) ? undefined : cell;
}

function parseMode(cell: string): boolean | undefined {
  return { Enabled: true, Disabled: false }[cell];
}
