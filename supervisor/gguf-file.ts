import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

const mostFilesShown = 20;

/** The models in a folder and its subfolders, a split one by its first part; none where the folder cannot be read. */
export function findGgufFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.gguf$/i.test(file) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(file))
      .sort()
      .slice(0, mostFilesShown);
  } catch {
    return [];
  }
}

/** What is wrong with a model file, all its parts included. */
export function faultsOfModel(path: string): string[] {
  const part = /-(\d{5})-of-(\d{5})(\.gguf)$/i.exec(path);
  if (!part) return faultOfFile(path) ?? [];
  const [ending = '', number, count = '', suffix = ''] = part;
  const stem = path.slice(0, -ending.length);
  const partName = (n: number) => `${stem}-${String(n).padStart(5, '0')}-of-${count}${suffix}`;
  if (Number(number) !== 1) return [`${path} is not the first part of its model: name ${partName(1)}`];
  return Array.from({ length: Number(count) }, (_, index) => faultOfFile(partName(index + 1)) ?? []).flat();
}

function faultOfFile(path: string): [string] | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [`${path} does not exist`];
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
