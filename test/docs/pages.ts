import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';

/** A page of the documentation; its path is relative to the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(projectFolder, path), 'utf8') };
}

/** All pages of the documentation. */
export function allPages(): Page[] {
  return ['*.md', 'docs/**/*.md', 'docker/**/*.md', 'test/*.md', '.github/**/*.md']
    .flatMap((pattern) => globSync(pattern, { cwd: projectFolder }))
    .sort()
    .map(readPage);
}
