import { closeSync, type Dirent, opendirSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const maxFiles = 20;
/** A folder such as `/` must not block the health server while all of it is searched. */
const maxEntries = 5000;

/** The models in a folder and its subfolders, a split one by its first part; none if the folder cannot be read. */
export function findGgufFiles(folder: string): string[] {
  const found: string[] = [];
  const folders = [''];
  let seen = 0;
  for (const below of folders) {
    for (const entry of readEntries(join(folder, below))) {
      seen += 1;
      if (seen > maxEntries) return limit(found);
      const name = join(below, entry.name);
      if (entry.isDirectory()) folders.push(name);
      else if (/\.gguf$/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name)) found.push(name);
    }
  }
  return limit(found);
}

const limit = (files: readonly string[]) => files.toSorted().slice(0, maxFiles);

function* readEntries(folder: string): Generator<Dirent> {
  try {
    using directory = opendirSync(folder);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) yield entry;
  } catch {
    // A folder that is missing or not readable has no models.
  }
}

/** The file at a path, or why it cannot be accessed. Never throws, even if the path is invalid. */
export function statPath(path: string): Stats | undefined | { readonly problem: string } {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? 'invalid path' };
  }
}

/** Problems with a model file, including all its parts. */
export function modelFileProblems(path: string): string[] {
  const [first = path, ...rest] = modelFileParts(path);
  if (first !== path) return [`${path} is not the first part of its model; use ${first}`];
  return [first, ...rest].flatMap((part) => fileProblem(part) ?? []);
}

/** The size of a model's files in bytes; missing ones count as 0. */
export function modelFileBytes(path: string): number {
  const sizes = modelFileParts(path).map((part) => statPath(part));
  return sizes.reduce((sum, file) => sum + (file && 'size' in file ? file.size : 0), 0);
}

/** The files of a model: all parts of a split one, whichever of them is given. */
export function modelFileParts(path: string): string[] {
  const part = /-\d{5}-of-(\d{5})(\.gguf)$/i.exec(path);
  if (!part) return [path];
  const [ending = '', count = '', suffix = ''] = part;
  const stem = path.slice(0, -ending.length);
  const partName = (n: number) => `${stem}-${String(n).padStart(5, '0')}-of-${count}${suffix}`;
  return Array.from({ length: Number(count) }, (_, index) => partName(index + 1));
}

function fileProblem(path: string): [string] | undefined {
  const found = statPath(path);
  if (!found) return [`${path} does not exist`];
  if ('problem' in found) return [`cannot access ${path} (${found.problem})`];
  if (!found.isFile()) return [`${path} is not a regular file`];
  const start = readMagic(path);
  if (start === undefined) return [`cannot read ${path}; check its permissions`];
  if (start.startsWith('GGUF')) return undefined;
  if (start.startsWith('version https://git-lfs')) {
    return [`${path} is a Git LFS pointer, not a model; run git lfs pull in its repository`];
  }
  return [found.size === 0 ? `${path} is empty` : `${path} is not a GGUF file`];
}

function readMagic(path: string): string | undefined {
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

/** Where a download is stored. The name is always that of a model: a download may replace a model, but no other file. */
export function downloadPath(url: string, modelsDir: string): string {
  const name = basename(decoded(new URL(url).pathname)).replace(/\p{Cc}/gu, '');
  if (/[^.].*\.gguf$/i.test(name)) return join(modelsDir, name);
  return join(modelsDir, /^\.*$/.test(name) ? 'model.gguf' : `${name}.gguf`);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
