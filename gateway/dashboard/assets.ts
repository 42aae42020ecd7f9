import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { createStaticFile, type StaticFile } from '../http/static-files.ts';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const page = join(import.meta.dirname, 'page');
const uPlot = dirname(createRequire(import.meta.url).resolve('uplot'));

/** The path of each file by name; nothing else is served. */
const paths: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['style.css', 'icon.svg', 'landing.js', 'login.js', 'dashboard.js', 'charts.js', 'tables.js'],
      ...['overview.js', 'format.js', 'engine.js', 'elements.js'],
    ].map((name) => [name, join(page, name)]),
  ),
  'uplot.js': join(uPlot, 'uPlot.esm.js'),
  'uplot.css': join(uPlot, 'uPlot.min.css'),
};

/** The files of the pages, read once. Their URLs contain the version, so browsers can cache them indefinitely. */
export class Assets {
  readonly #files: ReadonlyMap<string, StaticFile>;
  /** Changes whenever a file changes. */
  readonly version: string;

  constructor() {
    this.#files = new Map(Object.entries(paths).map(([name, path]) => [name, readAsset(name, path)]));
    this.version = hash('sha256', [...this.#files.values()].map(({ etag }) => etag).join()).slice(0, 12);
  }

  find(name: string): StaticFile | undefined {
    return this.#files.get(name);
  }
}

function readAsset(name: string, path: string): StaticFile {
  return createStaticFile(readFileSync(path), types[extname(name)] ?? 'text/plain');
}
