/**
 * Builds the documentation site into .cache/docs-site/site; `npm run docs-site`. VitePress is installed there first, from the
 * lock file beside this one: with 100 MB it is too large for the set-up of everybody who only runs the product or its tests.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { installPinnedPackages } from '../pinned-packages.ts';
import { projectFolder } from '../project-folders.ts';
import { apiReferencePages } from './api-pages.ts';
import { sidebar } from './sidebar.ts';
import { siteContent } from './site-pages.ts';
import { vitepressConfig } from './vitepress-config.ts';

const command = new Command('docs-site')
  .description('build the documentation site')
  .option('--base <path>', 'the path of the site on its server', '/')
  .option('--serve <port>', 'serve the site on this port afterwards', parsePort)
  .parse();
const { base, serve } = command.opts<{ base: string; serve?: number }>();

const folder = await installPinnedPackages(import.meta.dirname, 'docs-site');
const source = join(folder, 'source');
const apiDocument = 'gateway/reference/openapi.json';

/** The functions of VitePress that are used here. */
interface VitePress {
  build(root: string): Promise<void>;
  serve(options: { root: string; port: number }): Promise<unknown>;
}

writeSource(`/${base}/`.replaceAll(/\/+/g, '/'));
const library = join(folder, 'node_modules/vitepress/dist/node/index.js');
const vitepress: VitePress = await import(pathToFileURL(library).href);
await vitepress.build(folder);
console.log(`The site is in ${join(folder, 'site')}.`);
if (serve !== undefined) await vitepress.serve({ root: folder, port: serve });

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('It must be a port, such as 8080.');
}

function writeSource(atBase: string): void {
  const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
  const { pages, files } = siteContent(sidebar, read);
  const referencePages = apiReferencePages(JSON.parse(read(apiDocument)));
  rmSync(source, { recursive: true, force: true });
  for (const { path, text } of [...pages, ...referencePages]) write(join(source, path), text);
  for (const [copy, path] of files) copyFile(path, copy);
  copyFile(apiDocument, 'openapi.json');
  cpSync(join(import.meta.dirname, 'theme'), join(folder, '.vitepress/theme'), { recursive: true });
  const config = vitepressConfig(sidebar, pages, referencePages, atBase);
  write(join(folder, '.vitepress/config.js'), `export default ${JSON.stringify(config, null, 2)};\n`);
}

/** Files in `public` are copied into the site as they are. */
function copyFile(path: string, copy: string): void {
  cpSync(join(projectFolder, path), join(source, 'public', copy));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
