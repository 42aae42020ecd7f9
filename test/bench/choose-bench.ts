import { parseArgs } from 'node:util';
import { type CheckName, checks, longChecks, slowChecks } from './checks/checks.ts';
import type { Pace } from './compare-under-load.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import { comparedLoads, type LoadName } from './loads.ts';

/** What a run measures. */
export interface ChosenBench {
  readonly loads: readonly LoadName[];
  readonly checks: readonly CheckName[];
  readonly contenders: readonly ContenderName[];
  readonly pace: Pace;
  /** With what takes half an hour. */
  readonly isLong: boolean;
  /** The upstream closes behind streams, as the real llama-server. */
  readonly isClosing: boolean;
  /** Whether the figures go into docs/performance.md: those of a whole run, or where it is asked for. */
  readonly isKept: boolean;
}

const allLoads = Object.keys(comparedLoads) as LoadName[];
const allChecks = Object.keys(checks) as CheckName[];
const allContenders = Object.keys(contenders) as ContenderName[];
/** In about three minutes. */
const quickContenders = allContenders.filter(
  (name) => !['HAProxy', 'Portkey', '@fastify/http-proxy'].includes(name),
);

/** Reads the arguments of `npm run bench`. Throws an Error that names what there is to choose from. */
export function chooseBench(args: readonly string[]): ChosenBench {
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
  const wanted = pick([...allLoads, ...allChecks], only);
  const isPart = quick || closing || only.length > 0 || values.contenders.length > 0;
  const left = [...(long ? [] : longChecks), ...(quick ? slowChecks : [])];
  const isWanted = (name: CheckName) => only.length > 0 || !left.includes(name);
  return {
    loads: allLoads.filter((name) => wanted.includes(name)),
    checks: allChecks.filter((name) => wanted.includes(name) && isWanted(name)),
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
    isKept: write || !isPart,
  };
}

/** Those of `all` that are named, each by itself or several with commas; all where none is. */
function pick<Name extends string>(all: readonly Name[], named: readonly string[]): Name[] {
  const names = named.flatMap((one) => all.find((name) => name === one) ?? one.split(','));
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are: ${all.join(' · ')}`);
  return names.length === 0 ? [...all] : all.filter((name) => names.includes(name));
}
