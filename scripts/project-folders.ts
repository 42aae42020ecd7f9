import { join } from 'node:path';

/** The folder of the project: where `package.json` stands. */
export const projectFolder = join(import.meta.dirname, '..');

/** What can be had again: the fetched engine, the demo model. Safe to delete while nothing runs. */
export const cacheFolder = join(projectFolder, '.cache');
