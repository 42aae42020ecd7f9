import { readFileSync } from 'node:fs';

/** Kept free for what else needs a handle: the backend's connections, the key file, the log, the ledger. */
const RESERVE = 256;
const SMALLEST = 16;
const MOST_PROBES = 256;
const FEWEST_PROBES = 12;

/** Below this llama-server and the gateway start at best in part: pipes, sockets and files run out. */
const FEWEST_TO_START = 64;

/** How many connections there is room for, at most `wanted`: each is an open file, and the system allows only so many. */
export function maxClientConnections(wanted: number, openFiles = openFilesAllowed()): number {
  return Math.min(wanted, Math.max(openFiles - RESERVE, SMALLEST));
}

/** How many connections of probes there is room for: a burst of them is answered where handles are plenty. */
export function maxProbeConnections(openFiles = openFilesAllowed()): number {
  return Math.min(MOST_PROBES, Math.max(openFiles - RESERVE, FEWEST_PROBES));
}

/** Why nothing can be started under the system's limit of open files (`RLIMIT_NOFILE`); empty where it suffices. */
export function openFileLimitProblems(openFiles = openFilesAllowed()): string[] {
  if (openFiles >= FEWEST_TO_START) return [];
  return [
    `the limit of open files is ${openFiles}; at least ${FEWEST_TO_START} are needed: raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=)`,
  ];
}

/** What this process may open; no limit where the system does not tell. */
function openFilesAllowed(): number {
  try {
    const allowed = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return allowed === undefined ? Number.POSITIVE_INFINITY : Number(allowed);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
