import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const folders = [
  'cli',
  'client',
  'fs',
  'gateway',
  'health',
  'jobs',
  'keys',
  'log',
  'models',
  'runpod',
  'settings',
  'store',
  'supervisor',
];
let sources: string | undefined;

/**
 * Returns `text`, and throws if no production source contains it. Tests use it where they assert that a message or field
 * is absent: once the product words it differently, such an assertion would pass whatever happens.
 */
export function sourceText(text: string): string {
  sources ??= folders.flatMap(readSources).join('\n');
  if (!sources.includes(text)) throw new Error(`no source contains ${JSON.stringify(text)}`);
  return text;
}

const readSources = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(root, folder, path), 'utf8'));
