/**
 * Checks the dependency rules of docs/architecture.md: a module imports only modules of the rows below its own, types
 * included, and no files import each other in a cycle. Tests may import everything; nothing imports a test.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** From top to bottom. Modules of the same row do not import each other. */
type Layers = readonly (readonly string[])[];

const topLevel: Layers = [
  ['cli'],
  ['scripts'],
  ['supervisor', 'gateway', 'runpod', 'jobs'],
  ['health', 'client', 'nvidia-smi-parser'],
  ['keys', 'models', 'store'],
  ['settings', 'log'],
  ['fs', 'json', 'sse'],
];

/** The layers inside a module: its folders, and the listed files. All its other files are `root`. */
const innerLayers: Readonly<Record<string, Layers>> = {
  gateway: [
    ['root'],
    ['server'],
    ['routes', 'warm-up'],
    ['access-log.ts', 'dashboard', 'gpu', 'metrics', 'reference', 'tracing', 'usage'],
    ['middleware'],
    ['proxy'],
    ['engines'],
    ['resume', 'response-cache'],
    ['scheduler', 'upstream', 'limits'],
    ['models'],
    ['api'],
    ['ipc'],
    ['http', 'oidc'],
    ['errors'],
    ['bounded-map.ts', 'cancellation.ts', 'config.ts', 'slab.ts'],
  ],
  'gateway/api': [['request'], ['openai', 'responses', 'anthropic', 'validate'], ['root']],
  supervisor: [['root'], ['engine', 'platform'], ['process']],
};

/** Observers receive an event for each request (gateway/proxy/request-record.ts): only the root of the gateway imports them. */
const observers = ['access-log.ts', 'dashboard', 'gpu', 'metrics', 'reference', 'tracing', 'usage'];

/** The files that each file imports, by their paths from the root of the repository. */
export type Imports = ReadonlyMap<string, readonly string[]>;

export function findViolations(imports: Imports): string[] {
  const wrong = [...imports].flatMap(([file, targets]) =>
    isTest(file) ? [] : targets.flatMap((target) => violationOf(file, target) ?? []),
  );
  return [...wrong, ...findCycles(imports)];
}

const isTest = (file: string) => file.endsWith('.test.ts') || file.startsWith('test/');

/** Undefined if the import is allowed. */
function violationOf(file: string, target: string): string | undefined {
  const because = (why: string) => `${file} may not import ${target}: ${why}`;
  if (isTest(target)) return because('it is a test');
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from !== to) return isBelow(topLevel, from, to) ? undefined : because(`${to} is not below ${from}`);
  const why = violationInside(from, file, target);
  return why === undefined ? undefined : because(why);
}

function violationInside(module: string, file: string, target: string): string | undefined {
  const layers = innerLayers[module];
  if (layers === undefined) return undefined;
  const [upper, lower] = [layerOf(file, module, layers), layerOf(target, module, layers)];
  if (upper === lower) return violationInside(`${module}/${upper}`, file, target);
  if (!isBelow(layers, upper, lower)) return `in ${module}, ${lower} is not below ${upper}`;
  if (module === 'gateway' && observers.includes(lower) && upper !== 'root')
    return `only the root of ${module} imports observers`;
  return undefined;
}

const folderOf = (file: string) => file.split('/', 1)[0] ?? file;

function layerOf(file: string, module: string, layers: Layers): string {
  const [name = '', ...rest] = file.slice(module.length + 1).split('/');
  return rest.length > 0 || layers.flat().includes(name) ? name : 'root';
}

/** A module that no row lists is not below any other, and no other is below it. */
function isBelow(layers: Layers, upper: string, lower: string): boolean {
  const rowOf = (name: string) => layers.findIndex((row) => row.includes(name));
  return rowOf(upper) !== -1 && rowOf(upper) < rowOf(lower);
}

function findCycles(imports: Imports): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) {
      found.push(`import cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
    } else if (!done.has(file)) {
      for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    }
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

function readImports(root: string): Imports {
  const files = [...topLevel.flat(), 'test'].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: root }),
  );
  return new Map(files.map((file) => [file, importsOf(root, file)]));
}

function importsOf(root: string, file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+\.ts)['"]/g);
  return [...found].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

if (import.meta.main) {
  const imports = readImports(join(import.meta.dirname, '..'));
  const violations = findViolations(imports);
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exit(1);
  console.log(`${imports.size} files: all imports follow the layers, and there are no cycles`);
}
