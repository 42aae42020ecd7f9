import { readFileSync } from 'node:fs';

/** Reserved for other handles: backend connections, the key file, the log, the ledger. */
const RESERVE = 256;
const SMALLEST = 16;
const MOST_PROBES = 256;
const FEWEST_PROBES = 12;

/** Below this limit, llama-server and the gateway run out of pipes, sockets and files at the start. */
const FEWEST_TO_START = 64;

/** The number of client connections, at most `wanted`, that the limit of open files allows. */
export function maxClientConnections(wanted: number, openFiles = openFilesAllowed()): number {
  return Math.min(wanted, Math.max(openFiles - RESERVE, SMALLEST));
}

/** The number of probe connections that the limit of open files allows. */
export function maxProbeConnections(openFiles = openFilesAllowed()): number {
  return Math.min(MOST_PROBES, Math.max(openFiles - RESERVE, FEWEST_PROBES));
}

/** The problem if the limit of open files (`RLIMIT_NOFILE`) is too low to start; else empty. */
export function openFileLimitProblems(openFiles = openFilesAllowed()): string[] {
  if (openFiles >= FEWEST_TO_START) return [];
  return [
    `the limit of open files is ${openFiles}; at least ${FEWEST_TO_START} are needed: raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=)`,
  ];
}

/** The limit of this process; infinite if the system does not report one. */
function openFilesAllowed(): number {
  try {
    const allowed = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return allowed === undefined ? Number.POSITIVE_INFINITY : Number(allowed);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
