import { closeSync, type Dirent, opendirSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

const mostFilesShown = 20;
/** Whoever names a folder such as `/` must not have the health server wait for a walk through all of it. */
const mostEntriesSeen = 5000;

/**
 * The models in a folder and its subfolders, the nearest first of all, a split one by its first part; none where the
 * folder cannot be read.
 */
export function findGgufFiles(folder: string): string[] {
  const found: string[] = [];
  const folders = [''];
  let seen = 0;
  for (const below of folders) {
    for (const entry of entriesOf(join(folder, below))) {
      seen += 1;
      if (seen > mostEntriesSeen) return shown(found);
      const name = join(below, entry.name);
      if (entry.isDirectory()) folders.push(name);
      else if (/\.gguf$/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name)) found.push(name);
    }
  }
  return shown(found);
}

const shown = (files: readonly string[]) => files.toSorted().slice(0, mostFilesShown);

function* entriesOf(folder: string): Generator<Dirent> {
  try {
    using directory = opendirSync(folder);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) yield entry;
  } catch {
    // It is not there, or not for us: then nothing of it can be named.
  }
}

/** What lies at a path, or why nobody can tell. Never throws: not everything that is called a path can be one. */
export function statPath(path: string): Stats | undefined | { readonly problem: string } {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? 'no path' };
  }
}

/** What is wrong with a model file, all its parts included. */
export function modelFileProblems(path: string): string[] {
  const [first = path, ...rest] = modelFileParts(path);
  if (first !== path) return [`${path} is not the first part of its model: name ${first}`];
  return [first, ...rest].flatMap((part) => faultOfFile(part) ?? []);
}

/** What a model's files take, in bytes; those that are not there take nothing. */
export function modelFileBytes(path: string): number {
  const sizes = modelFileParts(path).map((part) => statPath(part));
  return sizes.reduce((sum, file) => sum + (file && 'size' in file ? file.size : 0), 0);
}

/** The files of a model: of a split one all parts, whichever of them is named. */
export function modelFileParts(path: string): string[] {
  const part = /-\d{5}-of-(\d{5})(\.gguf)$/i.exec(path);
  if (!part) return [path];
  const [ending = '', count = '', suffix = ''] = part;
  const stem = path.slice(0, -ending.length);
  const partName = (n: number) => `${stem}-${String(n).padStart(5, '0')}-of-${count}${suffix}`;
  return Array.from({ length: Number(count) }, (_, index) => partName(index + 1));
}

function faultOfFile(path: string): [string] | undefined {
  const found = statPath(path);
  if (!found) return [`${path} does not exist`];
  if ('problem' in found) return [`${path} cannot be looked at (${found.problem})`];
  if (!found.isFile()) return [`${path} is not a file`];
  const start = startOf(path);
  if (start === undefined) return [`${path} cannot be read: check its permissions`];
  if (start.startsWith('GGUF')) return undefined;
  if (start.startsWith('version https://git-lfs')) {
    return [`${path} is a Git LFS pointer, not the model: run git lfs pull where it came from`];
  }
  return [found.size === 0 ? `${path} is empty` : `${path} is not a GGUF file`];
}

function startOf(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(24);
      return bytes.toString('latin1', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
