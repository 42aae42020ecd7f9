import { type Command, Option } from 'commander';
import { jsonOption } from '../keys/key-file-option.ts';
import type { Tolerances } from './compare.ts';
import {
  count,
  countOrZero,
  counts,
  defaultTolerance,
  durationOption,
  jsonObject,
  positiveDuration,
  rates,
  tolerances,
} from './parse-bench-options.ts';
import type { Arrivals, Load } from './plan.ts';
import type { Conditions } from './report.ts';

/** As the command line gives them; spans in ms. */
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
  new Option('--concurrency <list>', 'so many at once, a step for each (default: 1,4,16,64)').argParser(
    counts,
  ),
  new Option('--rate <list>', 'so many requests per second, a step for each').argParser(rates),
  new Option('--arrivals <how>', 'how --rate comes').choices(['poisson', 'uniform']).default('poisson'),
  new Option('--duration <span>', 'of each step (default: 10s, or until --requests)').argParser(
    positiveDuration,
  ),
  new Option('--requests <n>', 'at most so many in each step').argParser(count),
  new Option('--warmup <span>', 'load before each step that is not measured')
    .argParser(durationOption)
    .default(2000, '2s'),
  new Option('--max-open <n>', 'the most that --rate has under way; more wait')
    .argParser(count)
    .default(10_000),
];

const requestOptions = () => [
  new Option('--prompt-tokens <list>', 'lengths of made prompts, all loads with each')
    .argParser(counts)
    .default([128], '128'),
  new Option('--prompts <file>', 'prompts asked in turn, one to a line: text, or JSON').conflicts(
    'promptTokens',
  ),
  new Option('--max-tokens <n>', 'of each answer').argParser(count).default(128),
  new Option('--path <which>', 'which API').choices(['chat', 'completions']).default('chat'),
  new Option('--plain', 'answers in one piece, not streams'),
  new Option('--model <name>', 'the model (default: the first that the endpoint lists)'),
  new Option('--key-file <file>', 'a file with the API key in its first line'),
  new Option('--body <json>', 'further fields; null takes one out').argParser(jsonObject).default({}, '{}'),
  new Option('--timeout <span>', 'for one request').argParser(positiveDuration).default(600_000, '10m'),
  new Option('--retries <n>', 'how often to ask again after the Retry-After of a refusal')
    .argParser(countOrZero)
    .default(0),
];

const reportOptions = () => [
  jsonOption(),
  new Option('--html <file>', 'write a page with plots that needs nothing else'),
  new Option('--save <file>', 'write the report, as a baseline'),
  new Option('--compare <file>', 'hold the figures against a baseline'),
  new Option('--tolerance <list>', 'how much worse is no regression: 10%, ttft=20%,tokens=5%')
    .argParser(tolerances)
    .default({ all: defaultTolerance, byFigure: new Map() }, '10%'),
  new Option('--resume <file>', 'keep what is measured there, and go on with it next time'),
];

/** Steps of 1, 4, 16 and 64 at once where nothing is said. */
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
