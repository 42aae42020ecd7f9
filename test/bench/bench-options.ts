import { parseArgs } from 'node:util';
import { type CheckName, checks, longChecks, slowChecks } from './checks/checks.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import { comparedLoads, type LoadName } from './loads.ts';

export interface BenchOptions {
  readonly loads: readonly LoadName[];
  readonly checks: readonly CheckName[];
  readonly contenders: readonly ContenderName[];
  readonly pace: Pace;
  /** Includes the long parts of the checks. */
  readonly isLong: boolean;
  /** The upstream closes connections after streams, like the real llama-server. */
  readonly isClosing: boolean;
  /** Writes the results into docs/performance.md: after a complete run, or with `--write`. */
  readonly isSaved: boolean;
}

export interface Pace {
  readonly rounds: number;
  /** Seconds per contender and round. */
  readonly seconds: number;
  /** Seconds of the round that does not count. */
  readonly warmupSeconds: number;
  /** The same for a contender that has just started: V8 needs some ten thousand requests to optimize code. */
  readonly firstWarmupSeconds: number;
}

const allLoads = Object.keys(comparedLoads) as LoadName[];
const allChecks = Object.keys(checks) as CheckName[];
const allContenders = Object.keys(contenders) as ContenderName[];
/** These take about three minutes. */
const quickContenders = allContenders.filter(
  (name) => !['HAProxy', 'Portkey', '@fastify/http-proxy'].includes(name),
);

/** Parses the arguments of `npm run bench`. An unknown name is an Error that lists the valid ones. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      closing: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      contenders: { type: 'string', multiple: true, default: [] },
    },
  });
  const { quick, long, closing, write, only } = values;
  const named = pick([...allLoads, ...allChecks], only);
  const isPart = quick || closing || only.length > 0 || values.contenders.length > 0;
  const omitted = [...(long ? [] : longChecks), ...(quick ? slowChecks : [])];
  const isIncluded = (name: CheckName) => only.length > 0 || !omitted.includes(name);
  return {
    loads: allLoads.filter((name) => named.includes(name)),
    checks: allChecks.filter((name) => named.includes(name) && isIncluded(name)),
    contenders:
      values.contenders.length > 0 || !quick ? pick(allContenders, values.contenders) : quickContenders,
    pace: {
      rounds: Number(values.rounds ?? (quick ? 2 : 3)),
      seconds: Number(values.seconds ?? (quick ? 1 : 2)),
      warmupSeconds: quick ? 1 : 2,
      firstWarmupSeconds: quick ? 3 : 12,
    },
    isLong: long,
    isClosing: closing,
    isSaved: write || !isPart,
  };
}

/** The named ones of `all`; names may be separated by commas. Without a name, all. */
function pick<Name extends string>(all: readonly Name[], args: readonly string[]): Name[] {
  const names = args.flatMap((one) => all.find((name) => name === one) ?? one.split(','));
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`unknown name ${unknown}; valid: ${all.join(' · ')}`);
  return names.length === 0 ? [...all] : all.filter((name) => names.includes(name));
}
