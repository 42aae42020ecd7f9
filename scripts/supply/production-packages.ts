import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../project-folders.ts';

/** A package that runs in production: a dependency, direct or indirect. */
export interface ProductionPackage {
  /** `name@version`. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The SPDX licence of the package; undefined if it states none. */
  readonly licence: string | undefined;
  /** A package with a program for one platform; images have their own. */
  readonly isOptional: boolean;
  /** Such as `sha512-…`, in base64. */
  readonly integrity: string | undefined;
  /** Ids of its dependencies. */
  readonly needs: readonly string[];
}

interface LockedPackage {
  /** Set if the package is installed under another name. */
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  /** A folder of this repository: scripts/supply/no-telemetry. */
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, LockedPackage>>;

/** All packages of the lock file except those for tests and development. */
export function productionPackages(): ProductionPackage[] {
  const lock = readLock();
  const found = Object.entries(lock)
    .filter(([place, { dev = false, link = false }]) => place.startsWith('node_modules/') && !dev && !link)
    .map(([place, { license, integrity, optional = false, version = '' }]) => ({
      id: idOf(lock, place),
      name: nameOf(lock, place),
      version,
      licence: license,
      isOptional: optional,
      integrity,
      needs: needsOf(lock, place),
    }));
  const once = new Map(found.map((one) => [one.id, one]));
  return [...once.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The direct dependencies, as ids. */
export const directNeeds = (): string[] => needsOf(readLock(), '');

function readLock(): Lock {
  return JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')).packages;
}

const nameOf = (lock: Lock, place: string) => lock[place]?.name ?? place.replace(/^.*node_modules\//, '');

const idOf = (lock: Lock, place: string) => `${nameOf(lock, place)}@${lock[place]?.version}`;

function needsOf(lock: Lock, place: string): string[] {
  const { dependencies, optionalDependencies } = lock[place] ?? {};
  return Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const found = placesFor(place, name).find((candidate) => candidate in lock);
    return found === undefined || lock[found]?.link ? [] : [idOf(lock, found)];
  });
}

/** The folders in which Node searches a package, the nearest first. */
function placesFor(place: string, name: string): string[] {
  const above = place.split('/node_modules/').slice(0, -1);
  const folders = above.map((_, index) => above.slice(0, index + 1).join('/node_modules/')).toReversed();
  return [...(place === '' ? [] : [place]), ...folders, ''].map((folder) =>
    folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`,
  );
}
