import { type Command, InvalidArgumentError, Option } from 'commander';
import { duration, integer } from '../../settings/kinds.ts';
import { jsonOption } from '../options.ts';
import type { Tolerances } from './compare.ts';
import { comparedMetrics } from './metrics.ts';
import type { Arrivals, Conditions, Load } from './report.ts';

/** Options of the command line; durations in ms. */
export interface BenchOptions {
  readonly concurrency?: number[];
  readonly rate?: number[];
  readonly arrivals: Arrivals;
  readonly duration?: number;
  readonly requests?: number;
  readonly warmup: number;
  readonly maxOpen: number;
  readonly promptTokens: number[];
  readonly prompts?: string;
  readonly maxTokens: number;
  readonly path: Conditions['path'];
  readonly plain?: true;
  readonly model?: string;
  readonly keyFile?: string;
  readonly body: Record<string, unknown>;
  readonly timeout: number;
  readonly retries: number;
  readonly json?: true;
  readonly html?: string;
  readonly save?: string;
  readonly compare?: string;
  readonly tolerance: Tolerances;
  readonly resume?: string;
}

export function addBenchOptions(command: Command): Command {
  const add = (...options: readonly Option[]) => options.forEach((option) => void command.addOption(option));
  command.optionsGroup('Load:');
  add(...loadOptions());
  command.optionsGroup('Requests:');
  add(...requestOptions());
  command.optionsGroup('Reports:');
  add(...reportOptions());
  return command.optionsGroup('Help:');
}

const loadOptions = () => [
  new Option(
    '--concurrency <list>',
    'concurrent requests; one benchmark step per value (default: 1,4,16,64)',
  ).argParser(counts),
  new Option('--rate <list>', 'requests per second; one benchmark step per value').argParser(rates),
  new Option('--arrivals <how>', 'distribution of the requests of --rate')
    .choices(['poisson', 'uniform'])
    .default('poisson'),
  new Option('--duration <span>', 'duration of each step (default: 10s, or until --requests)').argParser(
    positiveDuration,
  ),
  new Option('--requests <n>', 'maximum number of requests per step').argParser(count),
  new Option('--warmup <span>', 'warm-up before each step, not measured')
    .argParser(durationOption)
    .default(2000, '2s'),
  new Option('--max-open <n>', 'maximum number of open requests with --rate; further ones wait')
    .argParser(count)
    .default(10_000),
];

const requestOptions = () => [
  new Option('--prompt-tokens <list>', 'length of synthetic prompts; every load runs with each length')
    .argParser(counts)
    .default([128], '128'),
  new Option('--prompts <file>', 'file of prompts to use in turn, one per line: text or JSON').conflicts(
    'promptTokens',
  ),
  new Option('--max-tokens <n>', 'maximum number of tokens per response').argParser(count).default(128),
  new Option('--path <which>', 'API to use').choices(['chat', 'completions']).default('chat'),
  new Option('--plain', 'send requests without streaming'),
  new Option('--model <name>', 'id or alias of a chat model (default: the only one that the endpoint lists)'),
  new Option('--key-file <file>', 'file with the API key in its first line'),
  new Option('--body <json>', 'additional fields of the request body; null removes a field')
    .argParser(jsonObject)
    .default({}, '{}'),
  new Option('--timeout <span>', 'timeout of one request')
    .argParser(positiveDuration)
    .default(600_000, '10m'),
  new Option('--retries <n>', 'retries of a rejected request, after its Retry-After')
    .argParser(countOrZero)
    .default(0),
];

const reportOptions = () => [
  jsonOption(),
  new Option('--html <file>', 'write a self-contained HTML report with charts'),
  new Option('--save <file>', 'save the report as a baseline'),
  new Option('--compare <file>', 'compare the results with a baseline'),
  new Option('--tolerance <list>', 'how much worse a value may be: 10%, ttft=20%,tokens=5%')
    .argParser(tolerances)
    .default({ all: defaultTolerance, byMetric: new Map() }, '10%'),
  new Option('--resume <file>', 'save finished steps to this file, and skip those already in it'),
];

/** Defaults to steps of 1, 4, 16 and 64 clients. */
export function getLoads({ concurrency, rate, arrivals }: BenchOptions): Load[] {
  const clients = concurrency ?? (rate ? [] : [1, 4, 16, 64]);
  return [
    ...clients.map((many) => ({ kind: 'closed', concurrency: many }) as const),
    ...(rate ?? []).map((perSecond) => ({ kind: 'open', rate: perSecond, arrivals }) as const),
  ];
}

export function getConditions(
  options: BenchOptions,
  found: Pick<Conditions, 'url' | 'model' | 'prompts'>,
): Conditions {
  const { path, plain, maxTokens, body, duration, requests = null, warmup, timeout, retries } = options;
  return {
    ...found,
    ...{ path, stream: !plain, maxTokens, body, requests, retries },
    durationMs: duration ?? (requests === null ? 10_000 : null),
    warmupMs: warmup,
    timeoutMs: timeout,
    maxOpen: options.maxOpen,
  };
}

// Commander puts the option and the value before these messages.

/** Integers ≥ 1, separated by commas. */
export function counts(text: string): number[] {
  return text.split(',').map(count);
}

function count(text: string): number {
  const value = integer(1).parse(text.trim());
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 1.');
  return value;
}

function countOrZero(text: string): number {
  const value = integer(0).parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be an integer ≥ 0.');
  return value;
}

/** Numbers above 0, separated by commas. */
export function rates(text: string): number[] {
  return text.split(',').map((part) => {
    const value = /^\s*\d+(\.\d+)?\s*$/.test(part) ? Number(part) : 0;
    if (!(value > 0))
      throw new InvalidArgumentError(
        'It must be a number of requests per second above 0, such as 10 or 0.5.',
      );
    return value;
  });
}

/** Milliseconds. */
export function durationOption(text: string): number {
  const value = duration.parse(text);
  if (value === undefined) throw new InvalidArgumentError('It must be a duration such as 10s, 500ms or 10m.');
  return value;
}

export function positiveDuration(text: string): number {
  const value = durationOption(text);
  if (value === 0) throw new InvalidArgumentError('It must be greater than 0.');
  return value;
}

/** A JSON object. */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('It must be a JSON object, such as {"temperature":0}.');
  return value as Record<string, unknown>;
}

/** `10%`, or `ttft=20%,tokens=5%`, or both. */
export function tolerances(text: string): Tolerances {
  const byMetric = new Map<string, number>();
  let all = defaultTolerance;
  for (const entry of text.split(',').map((part) => part.trim())) {
    const match = /^(?:([\w.]+)=)?(\d+(?:\.\d+)?)%$/.exec(entry);
    if (!match) throw new InvalidArgumentError('It must be a percentage such as 10%, or ttft=20%,tokens=5%.');
    const [, name, perCent] = match;
    if (name === undefined) all = Number(perCent) / 100;
    else byMetric.set(known(name), Number(perCent) / 100);
  }
  return { all, byMetric };
}

const defaultTolerance = 0.1;

function known(name: string): string {
  const names = comparedMetrics.map((metric) => metric.name);
  if (names.includes(name) || names.some((other) => other.startsWith(`${name}.`))) return name;
  throw new InvalidArgumentError(`Unknown metric ${name}; known: ${names.join(', ')}.`);
}
