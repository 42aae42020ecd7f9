import { parseArgs } from 'node:util';
import { type CheckName, checks, longChecks } from './checks/checks.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import { comparedLoads, type LoadName } from './loads.ts';
import type { WarmUpLimits } from './warm-up.ts';

export interface BenchOptions {
  readonly loads: readonly LoadName[];
  readonly checks: readonly CheckName[];
  readonly contenders: readonly ContenderName[];
  readonly pace: Pace;
  /** Includes variants of ours, and the long parts of the checks. */
  readonly isLong: boolean;
  /** The upstream closes connections after streams, like the real llama-server. */
  readonly isClosing: boolean;
  /** Writes the results into docs/performance.md: after a complete run, or with `--write`. */
  readonly isSaved: boolean;
}

export interface Pace {
  readonly rounds: number;
  /** Of contenders that no goal compares. */
  readonly informationRounds: number;
  /** Seconds per contender and round. */
  readonly seconds: number;
  readonly warmUp: WarmUpLimits;
}

const allLoads = Object.keys(comparedLoads) as LoadName[];
const allChecks = Object.keys(checks) as CheckName[];
const allContenders = Object.keys(contenders) as ContenderName[];
interface Names {
  readonly loads: readonly LoadName[];
  readonly checks: readonly CheckName[];
  readonly contenders: readonly ContenderName[];
}

/** Everything: half an hour. */
const long: Names = { loads: allLoads, checks: allChecks, contenders: allContenders };
/** Ten minutes. */
const usual: Names = {
  loads: allLoads,
  checks: allChecks.filter((name) => !longChecks.includes(name)),
  contenders: allContenders.filter((name) => !['llama-corral, traced', 'llama-corral, bare'].includes(name)),
};
/** Two minutes. */
const quick: Names = {
  loads: allLoads.filter((name) => !['one-connection', 'rate-100'].includes(name)),
  checks: [],
  contenders: ['direct', 'reference, unix socket', 'llama-corral, unix socket'],
};

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
  const { closing, write } = values;
  const isPart = values.quick || closing || values.only.length > 0 || values.contenders.length > 0;
  const names = values.quick ? quick : values.long ? long : usual;
  const only =
    values.only.length > 0
      ? pick([...allLoads, ...allChecks], values.only)
      : [...names.loads, ...names.checks];
  return {
    loads: allLoads.filter((name) => only.includes(name)),
    checks: allChecks.filter((name) => only.includes(name)),
    contenders: values.contenders.length > 0 ? pick(allContenders, values.contenders) : names.contenders,
    pace: {
      rounds: Number(values.rounds ?? (values.quick ? 4 : 3)),
      informationRounds: values.quick && values.only.length === 0 ? 0 : 1,
      seconds: Number(values.seconds ?? (values.quick ? 0.8 : 1)),
      warmUp: values.quick
        ? { firstSeconds: 12, laterSeconds: 2, informationSeconds: 1.5 }
        : { firstSeconds: 20, laterSeconds: 3, informationSeconds: 1.5 },
    },
    isLong: values.long,
    isClosing: closing,
    isSaved: write || !isPart,
  };
}

/** The named ones of `all`; names may be separated by commas. */
function pick<Name extends string>(all: readonly Name[], args: readonly string[]): Name[] {
  const names = args.flatMap((one) => all.find((name) => name === one) ?? one.split(','));
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`unknown name ${unknown}; valid: ${all.join(' · ')}`);
  return all.filter((name) => names.includes(name));
}
