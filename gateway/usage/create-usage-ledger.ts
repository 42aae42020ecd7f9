import type { Log } from '../../log/create-log.ts';
import { UsageLedger } from './usage-ledger.ts';

export interface LedgerConfig {
  readonly dataDir: string;
  readonly retentionDays: number;
}

/** Opens the ledger and tells the log when it cannot be written, and when that is over. */
export function createUsageLedger({ dataDir, retentionDays }: LedgerConfig, log: Log): UsageLedger {
  return new UsageLedger({
    dataDir,
    retentionDays,
    onProblem: (why) => {
      if (why === undefined) log.info('the usage ledger is written again, with all that was kept in memory');
      else
        log.warn(
          `the usage ledger in ${dataDir} cannot be written (${why}): usage stays in memory until it can`,
        );
    },
  });
}
