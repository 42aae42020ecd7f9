import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { projectFolder } from '../../scripts/project-folders.ts';

/** Too large to look through, and named by no pattern. */
const never = new Set(['node_modules', '.git', '.cache', 'data']);

/** The files that `COPY . .` copies into an image, relative to the project. */
export function buildContext(): string[] {
  const patterns = readFileSync(join(projectFolder, '.dockerignore'), 'utf8').split('\n');
  const isTaken = dockerignore
    .default()
    .add(patterns.filter((pattern) => pattern !== '' && !pattern.startsWith('#')))
    .createFilter();
  const folders = readdirSync(projectFolder, { withFileTypes: true });
  return folders
    .filter(({ name }) => !never.has(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(entry.name) : [entry.name]))
    .filter(isTaken);
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(projectFolder, join(entry.parentPath, entry.name)));
}

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** The folders that `npm ci --omit=dev --omit=optional` fills, relative to the project: as the lock file has them. */
export function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  return Object.entries(lock.packages)
    .filter(
      ([path, { dev, optional, devOptional }]) =>
        path.startsWith('node_modules/') && !dev && !optional && !devOptional,
    )
    .map(([path]) => path);
}
