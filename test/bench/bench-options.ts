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
  /** Includes the long parts of the checks. */
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
const shortChecks = allChecks.filter((name) => !longChecks.includes(name));
const allContenders = Object.keys(contenders) as ContenderName[];
/** These take two minutes. */
const quickContenders: readonly ContenderName[] = [
  'direct',
  'reference, unix socket',
  'llama-corral, unix socket',
];
const quickLoads = allLoads.filter((name) => !['one-connection', 'rate-100'].includes(name));

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
  const isPart = quick || closing || only.length > 0 || values.contenders.length > 0;
  const usual = [...(quick ? quickLoads : allLoads), ...(quick ? [] : long ? allChecks : shortChecks)];
  const named = only.length > 0 ? pick([...allLoads, ...allChecks], only) : usual;
  return {
    loads: allLoads.filter((name) => named.includes(name)),
    checks: allChecks.filter((name) => named.includes(name)),
    contenders:
      values.contenders.length > 0 || !quick ? pick(allContenders, values.contenders) : quickContenders,
    pace: {
      rounds: Number(values.rounds ?? (quick ? 4 : 3)),
      informationRounds: quick && only.length === 0 ? 0 : 1,
      seconds: Number(values.seconds ?? (quick ? 0.8 : 1)),
      warmUp: quick ? { firstSeconds: 15, laterSeconds: 2 } : { firstSeconds: 20, laterSeconds: 3 },
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
