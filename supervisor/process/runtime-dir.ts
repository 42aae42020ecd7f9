import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../fs/make-folder.ts';
import { findWriteError, writeErrorHint } from '../../fs/writable-folder.ts';
import { identifyProcess, isAlive, type ProcessIdentity, processNamespace } from './process-identity.ts';

/** A private folder of one supervisor: the socket, and a note of whom it has started. */
export interface RuntimeDir {
  readonly path: string;
  readonly socketPath: string;
  /** Notes a child, so that a later start can end it should this process be killed. */
  recordChild(pid: number): void;
  remove(): void;
}

interface Note {
  readonly namespace: string;
  readonly owner: ProcessIdentity;
  readonly children: readonly ProcessIdentity[];
}

const prefix = 'corral-';
/** The kernel's limit for a socket's path is 108 bytes on Linux and 104 on macOS. */
const longestSocketPath = 100;

/** Makes a folder that only this user can enter; its name is short enough for a socket. */
export function createRuntimeDir(base = tmpdir()): RuntimeDir {
  const parent = placesFor(base).find((place) => findWriteError(place) === undefined) ?? base;
  makeFolder(parent);
  const path = mkdtempSync(join(parent, prefix));
  let note: Note = { namespace: processNamespace(), owner: identifyProcess(process.pid), children: [] };
  writeNote(path, note);
  return {
    path,
    socketPath: join(path, 'llama.sock'),
    recordChild(pid) {
      note = { ...note, children: [...note.children.filter(isAlive), identifyProcess(pid)] };
      try {
        writeNote(path, note);
      } catch {
        // A full disk must not cost the house; the child's parent-death signal is the first net.
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** What is wrong where there is no place for such a folder. */
export function runtimeDirProblems(base = tmpdir()): string[] {
  const places = placesFor(base).map((place) => ({ place, code: findWriteError(place) }));
  if (places.some(({ code }) => code === undefined)) return [];
  return places.slice(0, 1).map(({ place, code = '' }) => {
    const others = place === '/tmp' ? '' : ', nor can /tmp';
    return `TMPDIR: ${place} cannot be written (${code})${others}: ${writeErrorHint(code)}`;
  });
}

/** The folder for what is temporary, where its name leaves room for the socket's, else the one that all systems have. */
function placesFor(base: string): string[] {
  const isRoomy = Buffer.byteLength(join(base, `${prefix}123456`, 'llama.sock')) < longestSocketPath;
  return [...new Set(isRoomy ? [base, '/tmp'] : ['/tmp'])];
}

/**
 * Clears the way for a socket: its folder stands, should something have tidied it away, and nothing lies in its place.
 * Throws where somebody else has put a folder there meanwhile.
 */
export function prepareSocketPath(socketPath: string): void {
  const folder = dirname(socketPath);
  makeFolder(folder, 0o700);
  const { uid } = lstatSync(folder);
  if (uid !== process.getuid?.())
    throw new Error(`${folder} belongs to another user: restart, or change TMPDIR`);
  rmSync(socketPath, { force: true });
}

/**
 * Clears away what killed supervisors left: their folders, and children that outlived them. Answers the numbers of
 * the processes that were ended. Whoever still lives, or ran in another container with the same /tmp, is left alone.
 */
export function removeStaleRuntimeDirs(base = tmpdir()): number[] {
  return [...new Set([base, '/tmp'])].flatMap((parent) =>
    ownFolders(parent).flatMap((path) => {
      const note = readNote(path);
      if (!note || note.namespace !== processNamespace() || isAlive(note.owner)) return [];
      const orphans = note.children.filter(isAlive);
      for (const { pid } of orphans) endGroup(pid);
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

/** Each child leads a group of its own. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

const noteFile = (path: string) => join(path, 'owner.json');

function writeNote(path: string, note: Note): void {
  const draft = `${noteFile(path)}.new`;
  writeFileSync(draft, JSON.stringify(note));
  renameSync(draft, noteFile(path));
}

/** Undefined for a folder that is not one of ours, whatever its name. */
function readNote(path: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(noteFile(path), 'utf8')) as Partial<Note>;
    return note.owner && note.namespace && Array.isArray(note.children) ? (note as Note) : undefined;
  } catch {
    return undefined;
  }
}
