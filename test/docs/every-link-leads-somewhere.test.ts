import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../../scripts/project-folders.ts';
import { anchorsOf, linksOf } from './markdown.ts';
import { allPages, type Page, readPage } from './pages.ts';

const pages = allPages();

it.each(pages.map((page) => [page.path, page] as const))('every link of %s has a target', (_, page) => {
  expect(linksOf(page.text).flatMap((link) => faultOf(page, link))).toEqual([]);
});

it('every page of docs/ can be reached from its index', () => {
  const reached = new Set(['docs/README.md']);
  for (const path of reached)
    for (const next of pagesLinkedFrom(readPage(path))) if (next.startsWith('docs/')) reached.add(next);
  const docs = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/'));
  expect(docs.filter((path) => !reached.has(path))).toEqual([]);
});

/** External links are not followed, because tests send no requests to other servers. */
const isOutside = (link: string) => /^(https?|mailto):/.test(link);

function faultOf(page: Page, link: string): string[] {
  if (isOutside(link)) return URL.canParse(link) ? [] : [`${link} is no address`];
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), decodeURIComponent(path)));
  if (!existsSync(join(projectFolder, target))) return [`${link}: there is no ${target}`];
  if (anchor === undefined) return [];
  return anchorsOf(readPage(target).text).includes(anchor) ? [] : [`${link}: no heading makes #${anchor}`];
}

function pagesLinkedFrom(page: Page): string[] {
  return linksOf(page.text)
    .filter((link) => !isOutside(link))
    .map((link) => normalize(join(dirname(page.path), link.split('#')[0] ?? '')))
    .filter((path) => path.endsWith('.md') && statSync(join(projectFolder, path), { throwIfNoEntry: false }));
}
