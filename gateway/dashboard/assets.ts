import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';

export interface Asset {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const page = join(import.meta.dirname, 'page');
const uPlot = dirname(createRequire(import.meta.url).resolve('uplot'));

/** Where each file of the pages lies; nothing else is served. */
const places: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['style.css', 'icon.svg', 'landing.js', 'login.js', 'dashboard.js', 'charts.js', 'tables.js'],
      ...['figures.js', 'words.js', 'engine.js', 'elements.js'],
    ].map((name) => [name, join(page, name)]),
  ),
  'uplot.js': join(uPlot, 'uPlot.esm.js'),
  'uplot.css': join(uPlot, 'uPlot.min.css'),
};

/** The files of the pages, read once. Their addresses hold the version, so that browsers may keep them for ever. */
export class Assets {
  readonly #all: ReadonlyMap<string, Asset>;
  /** Another one whenever any of them changes. */
  readonly version: string;

  constructor() {
    this.#all = new Map(Object.entries(places).map(([name, place]) => [name, readAsset(name, place)]));
    this.version = hash('sha256', [...this.#all.values()].map(({ etag }) => etag).join()).slice(0, 12);
  }

  find(name: string): Asset | undefined {
    return this.#all.get(name);
  }
}

function readAsset(name: string, place: string): Asset {
  const body = readFileSync(place);
  return { body, type: types[extname(name)] ?? 'text/plain', etag: `"${hash('sha256', body).slice(0, 20)}"` };
}
