import { join } from 'node:path';

/** The root of the project, with `package.json`. */
export const projectFolder = join(import.meta.dirname, '..');

/** Files that can be created again: the fetched engine, the demo model. Can be deleted while nothing runs. */
export const cacheFolder = join(projectFolder, '.cache');
