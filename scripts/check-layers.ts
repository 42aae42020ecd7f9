/**
 * Holds the imports against the house plan of docs/architecture.md: a room imports only what stands below it, and no
 * files import each other in a loop. Tests may import from everywhere; nothing imports a test.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const product = ['gateway', 'supervisor', 'runpod', 'health', 'keys', 'settings', 'log', 'nvidia-smi-parser'];

const below: Record<string, readonly string[]> = {
  test: ['cli', 'scripts', ...product, 'sse', 'fs'],
  cli: ['scripts', ...product, 'sse', 'fs'],
  scripts: [...product, 'sse', 'fs'],
  supervisor: ['health', 'keys', 'settings', 'log', 'fs'],
  gateway: ['health', 'keys', 'settings', 'log', 'nvidia-smi-parser', 'sse', 'fs'],
  runpod: ['settings', 'log', 'sse'],
  health: [],
  keys: ['fs'],
  settings: ['fs'],
  log: ['fs'],
  'nvidia-smi-parser': [],
  sse: [],
  fs: [],
};

const root = join(import.meta.dirname, '..');
const isTest = (file: string) => /\.test\.ts$|^test\//.test(file);
const roomOf = (file: string) => file.split('/')[0] ?? file;

const files = Object.keys(below).flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: root }));
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const faults = [...wrongArrows(), ...loops()];

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`${files.length} files: every import follows the house plan, none runs in a loop`);

function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+\.ts)['"]/g);
  return [...found].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

function wrongArrows(): string[] {
  return [...imports].flatMap(([file, targets]) =>
    isTest(file)
      ? []
      : targets
          .filter((target) => !mayImport(file, target))
          .map((target) => `${file} may not import ${target}`),
  );
}

function mayImport(file: string, target: string): boolean {
  if (isTest(target)) return false;
  return roomOf(file) === roomOf(target) || (below[roomOf(file)] ?? []).includes(roomOf(target));
}

function loops(): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) {
      found.push(`a loop: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
    } else if (!done.has(file)) {
      for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    }
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}
