import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program's file, as a shell would find it; undefined where there is none that we may run. */
export function findProgram(name: string, searchPath: string | undefined): string | undefined {
  if (name.includes('/')) return mayRun(name) ? name : undefined;
  const folders = (searchPath ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(mayRun);
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
