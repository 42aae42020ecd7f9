import type { Backend } from '../health/backend.ts';
import type { Log } from '../log/create-log.ts';
import type { BootTimes } from './boot.ts';
import { bootTable } from './boot-table.ts';
import { drawFirstToken } from './first-token.ts';
import type { House } from './house.ts';

export interface AnnounceOptions {
  readonly backend: Backend;
  readonly log: Log;
  /** A table is for people; other logs get the same as fields. */
  readonly asTable: boolean;
  readonly timeoutMs: number;
}

/** Proves that the house works by a first token, and tells how the boot went. Undefined where no token came. */
export async function announce(
  house: House,
  { backend, log, asTable, timeoutMs }: AnnounceOptions,
): Promise<BootTimes | undefined> {
  const token = await drawFirstToken(backend, timeoutMs);
  if (token.outcome === 'failed') {
    log.warn(`llama-server is ready and yet gave no first token: ${token.why}`);
    return undefined;
  }
  house.boot.reached('first token', token.outcome === 'came');
  const { times } = house.boot;
  if (asTable) log.info(`up\n${bootTable(times)}`);
  else log.info({ boot: times }, 'up');
  return times;
}
