import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findWriteError, makeFolder, writeErrorHint } from '../../fs/folders.ts';
import { safeFileName } from '../../fs/safe-file-name.ts';

/** A private folder of one supervisor: the socket, and a record of the children it has started. */
export interface RuntimeDir {
  readonly path: string;
  readonly socketPath: string;
  /** The socket of one of several engines. */
  socketPathFor(engineId: string): string;
  /** Records a child, so that the next start can kill it if this process is killed. */
  recordChild(pid: number): void;
  remove(): void;
}

interface OwnerRecord {
  readonly namespace: string;
  readonly owner: ProcessIdentity;
  readonly children: readonly ProcessIdentity[];
}

const prefix = 'corral-';
/** The kernel's limit for a socket's path is 108 bytes on Linux and 104 on macOS. */
const longestSocketPath = 100;
const longestSocketName = `${safeFileName('x'.repeat(100))}.sock`;

/** Creates a folder that only this user can enter, with a name short enough for a socket. */
export function createRuntimeDir(base = tmpdir()): RuntimeDir {
  const parent = candidateFolders(base).find((folder) => findWriteError(folder) === undefined) ?? base;
  makeFolder(parent);
  const path = mkdtempSync(join(parent, prefix));
  let record: OwnerRecord = {
    namespace: processNamespace(),
    owner: identifyProcess(process.pid),
    children: [],
  };
  writeRecord(path, record);
  return {
    path,
    socketPath: join(path, 'llama.sock'),
    socketPathFor: (engineId) => join(path, `${safeFileName(engineId)}.sock`),
    recordChild(pid) {
      record = { ...record, children: [...record.children.filter(isAlive), identifyProcess(pid)] };
      try {
        writeRecord(path, record);
      } catch {
        // A full disk must not stop the deployment; the parent-death signal is the first safeguard.
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Problems if no location for such a folder is writable. */
export function runtimeDirProblems(base = tmpdir()): string[] {
  const folders = candidateFolders(base).map((folder) => ({ folder, code: findWriteError(folder) }));
  if (folders.some(({ code }) => code === undefined)) return [];
  return folders.slice(0, 1).map(({ folder, code = '' }) => {
    const others = folder === '/tmp' ? '' : ', and neither is /tmp';
    return `TMPDIR: ${folder} is not writable (${code})${others}; ${writeErrorHint(code)}`;
  });
}

/** The folder for temporary files if its path is short enough for a socket, else /tmp. */
function candidateFolders(base: string): string[] {
  const isShort = Buffer.byteLength(join(base, `${prefix}123456`, longestSocketName)) < longestSocketPath;
  return [...new Set(isShort ? [base, '/tmp'] : ['/tmp'])];
}

/**
 * Prepares the path of a socket: creates its folder again if something removed it, and removes an old socket. Throws if
 * another user has created the folder in the meantime.
 */
export function prepareSocketPath(socketPath: string): void {
  const folder = dirname(socketPath);
  makeFolder(folder, 0o700);
  const { uid } = lstatSync(folder);
  if (uid !== process.getuid?.())
    throw new Error(`${folder} belongs to another user; restart, or change TMPDIR`);
  rmSync(socketPath, { force: true });
}

/**
 * Removes what killed supervisors left: their folders, and children that outlived them. Returns the ids of the killed
 * processes. Supervisors that still run, or ran in another container with the same /tmp, are left alone.
 */
export function removeStaleRuntimeDirs(base = tmpdir()): number[] {
  return [...new Set([base, '/tmp'])].flatMap((parent) =>
    ownFolders(parent).flatMap((path) => {
      const record = readRecord(path);
      if (!record || record.namespace !== processNamespace() || isAlive(record.owner)) return [];
      const orphans = record.children.filter(isAlive);
      for (const { pid } of orphans) killGroup(pid);
      rmSync(path, { recursive: true, force: true });
      return orphans.map(({ pid }) => pid);
    }),
  );
}

function ownFolders(parent: string): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(parent, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.());
  } catch {
    return [];
  }
}

/** Each child has its own process group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has exited in the meantime.
  }
}

const recordFile = (path: string) => join(path, 'owner.json');

function writeRecord(path: string, record: OwnerRecord): void {
  const draft = `${recordFile(path)}.new`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, recordFile(path));
}

/** Undefined if the folder is not ours, whatever its name. */
function readRecord(path: string): OwnerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(path), 'utf8')) as Partial<OwnerRecord>;
    return record.owner && record.namespace && Array.isArray(record.children)
      ? (record as OwnerRecord)
      : undefined;
  } catch {
    return undefined;
  }
}

/** One process, distinguishable from a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; undefined if the process had already exited. */
  readonly startedAt: string | undefined;
}

export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid) };
}

function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return startedAt !== undefined && startOf(pid) === startedAt;
}

/** Process ids are valid only inside their namespace. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'only';
  }
}

function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

/** Clock ticks since the boot of the machine; a zombie counts as exited. The name of the command may contain spaces and brackets. */
function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
