import { type CrashRecord, readCrashes } from '../../health/crash-records.ts';
import { cacheFor } from '../http/cache-for.ts';

const FRESH_FOR = 5000;

/** The last unwanted end of a child, and how many are on record. */
export interface LastCrash
  extends Pick<
    CrashRecord,
    'at' | 'who' | 'class' | 'cure' | 'code' | 'signal' | 'ranForMs' | 'tellingLine' | 'lastLines'
  > {
  readonly onRecord: number;
}

/** Reads the crash files that the supervisor leaves in `dataDir`; null where there are none. */
export function createLastCrashReader(dataDir: string): () => Promise<LastCrash | null> {
  return cacheFor(FRESH_FOR, async () => {
    const [last, ...others] = await readCrashes(dataDir);
    if (last === undefined) return null;
    const { at, who, cure, code, signal, ranForMs, tellingLine, lastLines } = last;
    const onRecord = 1 + others.length;
    return {
      ...{ at, who, class: last.class, cure, code, signal, ranForMs, tellingLine, lastLines },
      onRecord,
    };
  });
}
