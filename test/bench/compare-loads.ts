import type { BenchOptions } from './bench-options.ts';
import type { ContenderName } from './contenders/contenders.ts';
import type { RunningContender } from './contenders/start-contender.ts';
import { generateLoad, type LoadReport } from './load-generator.ts';
import { type ComparedLoad, comparedLoads, type LoadName } from './loads.ts';
import type { LoadResults } from './report/tables.ts';
import { logProgress, measureInRounds, measureUndisturbed } from './rounds.ts';
import type { RunningContenders } from './running-contenders.ts';

/** A contender under a load. */
interface Pairing {
  readonly loadName: LoadName;
  readonly load: ComparedLoad;
  readonly contender: ContenderName;
  readonly rounds: number;
}

/** Measures loads in the same alternating rounds, so that their results can be compared with each other. */
export async function compareLoads(
  names: readonly LoadName[],
  options: BenchOptions,
  running: RunningContenders,
): Promise<Map<LoadName, LoadResults>> {
  const { pace, isLong } = options;
  const isInSeveralProcesses = ({ load: { severalProcesses = [] }, contender }: Pairing) =>
    isLong && severalProcesses.includes(contender);
  const pairings = names.flatMap((name) => pairingsOf(name, options));
  const reports = await measureInRounds(pairings, {
    roundsOf: ({ rounds }) => rounds,
    async warmUp(pairing) {
      const { load, contender, rounds } = pairing;
      const { laterSeconds, informationSeconds } = pace.warmUp;
      const seconds = load.contenders.includes(contender) ? laterSeconds : informationSeconds;
      const processes = isInSeveralProcesses(pairing) ? rounds : 1;
      for (let process = 0; process < processes; process++)
        await running.warmUp(contender, process, load, seconds);
    },
    async measure(pairing, round) {
      const { load, contender } = pairing;
      const title = `${load.title} · round ${round} · ${contender}`;
      const process = isInSeveralProcesses(pairing) ? round - 1 : 0;
      return measure(load, await running.get(contender, process), pace.seconds, running.upstreamPid, title);
    },
    onFailure: ({ load, contender }, error) =>
      logProgress(`${load.title}: ${contender} is left out: ${(error as Error).message}`),
  });
  const found = (name: LoadName) =>
    [...reports]
      .filter(([{ loadName }]) => loadName === name)
      .map(([{ contender }, all]) => [contender, all]);
  return new Map(names.map((name) => [name, Object.fromEntries(found(name))]));
}

/** In the order of the tables. */
function pairingsOf(loadName: LoadName, { contenders, pace }: BenchOptions): Pairing[] {
  const load: ComparedLoad = comparedLoads[loadName];
  const roundsOf = (contender: ContenderName) => {
    if (load.contenders.includes(contender)) return pace.rounds;
    return load.forInformation?.includes(contender) ? pace.informationRounds : 0;
  };
  return contenders
    .map((contender) => ({ loadName, load, contender, rounds: roundsOf(contender) }))
    .filter(({ rounds }) => rounds > 0);
}

async function measure(
  load: ComparedLoad,
  contender: RunningContender,
  paceSeconds: number,
  upstreamPid: number,
  title: string,
): Promise<LoadReport> {
  const duration = {
    // Until all connections are in use.
    warmupSeconds: load.connections > 100 ? 1 : 0.3,
    seconds: paceSeconds * (load.durationFactor ?? 1),
  };
  const report = await measureUndisturbed(
    () => generateLoad(contender, load, duration, upstreamPid),
    (share) =>
      logProgress(
        `${title}: measuring again, the host gave ${(share * 100).toFixed(0)} % of the time to other machines`,
      ),
  );
  const { requestsPerSecond, eventsPerSecond, cpuSeconds, seconds } = report;
  const speed =
    eventsPerSecond > 0
      ? `${eventsPerSecond.toFixed(0)} events/s`
      : `${requestsPerSecond.toFixed(0)} requests/s`;
  logProgress(`${title}: ${speed}, ${((cpuSeconds / seconds) * 100).toFixed(0)} % CPU`);
  return report;
}
