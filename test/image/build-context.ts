import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { projectFolder } from '../../scripts/project-folders.ts';

/** Too large to search. */
const skipped = new Set(['node_modules', '.git', '.cache', 'data']);

/** The files that `COPY . .` copies into an image, relative to the project. */
export function buildContext(): string[] {
  const patterns = readFileSync(join(projectFolder, '.dockerignore'), 'utf8').split('\n');
  const isIncluded = dockerignore
    .default()
    .add(patterns.filter((pattern) => pattern !== '' && !pattern.startsWith('#')))
    .createFilter();
  const folders = readdirSync(projectFolder, { withFileTypes: true });
  return folders
    .filter(({ name }) => !skipped.has(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(entry.name) : [entry.name]))
    .filter(isIncluded);
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(projectFolder, join(entry.parentPath, entry.name)));
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** The folders that `npm ci --omit=dev --omit=optional` creates, according to the lock file, relative to the project. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(
      ([path, { dev, optional, devOptional }]) =>
        path.startsWith('node_modules/') && !dev && !optional && !devOptional,
    )
    .map(([path]) => path);
}
