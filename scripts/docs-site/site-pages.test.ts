import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../project-folders.ts';
import { sidebar } from './sidebar.ts';
import { siteContent } from './site-pages.ts';

const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
const listed = sidebar.flatMap(({ pages }) => pages);

describe('in the site of this repository', () => {
  const { pages, files } = siteContent(sidebar, read);

  it('every page of docs/ has one place in scripts/docs-site/sidebar.ts', () => {
    const docs = globSync('docs/**/*.md', { cwd: projectFolder });
    expect(listed.filter((path) => path.startsWith('docs/')).toSorted()).toEqual(docs.toSorted());
    expect(new Set(listed).size).toBe(listed.length);
    expect(new Set(pages.map(({ path }) => path)).size).toBe(pages.length);
    expect(pages.filter(({ title }) => title === '')).toEqual([]);
  });

  it('pages link only to pages and to copies of files that exist', () => {
    const paths = new Set(pages.map(({ path }) => `/${path}`));
    const targets = pages.flatMap(({ text }) =>
      [...text.matchAll(/\]\((\/[^)\s#]+)/g)].map(([, it = '']) => it),
    );
    expect(targets.length).toBeGreaterThan(300);
    expect(targets.filter((target) => !paths.has(target) && !files.has(target.slice(1)))).toEqual([]);
    expect([...files.values()].filter((path) => !existsSync(join(projectFolder, path)))).toEqual([]);
  });
});

describe('a page', () => {
  const content = (text: string) =>
    siteContent([{ title: 'All', pages: ['README.md', 'docs/a.md', 'docs/platforms/b.md'] }], (path) =>
      path === 'docs/a.md' ? text : '# Other\n',
    );
  const pageOf = (text: string) => content(text).pages[1]?.text;

  it.each([
    ['[b](platforms/b.md#what-is-it)', '[b](/platforms/b.md#what-is-it)'],
    ['[home](../README.md), [here](#there)', '[home](/index.md), [here](#there)'],
    ['[other](https://example.com/a.md)', '[other](https://example.com/a.md)'],
    ['`[code](b.md)` and [code](../keys/key.ts)', '`[code](b.md)` and [code](/files/keys/key.ts.txt)'],
    ['![picture](queue.svg)', '![picture](/files/docs/queue.svg)'],
  ])('%s becomes %s', (before, after) => {
    expect(pageOf(before)).toBe(after);
  });

  it('names the files that have to be copied', () => {
    expect([...content('[a](../keys/key.ts) ![b](b.png)').files]).toEqual([
      ['files/keys/key.ts.txt', 'keys/key.ts'],
      ['files/docs/b.png', 'docs/b.png'],
    ]);
  });

  it('has the anchors of GitHub, and plain fences', () => {
    expect(pageOf("## What's `new`?\n## What's new\n```sh tried\n# [a](b.md)\n```")).toBe(
      "## What's `new`? {#whats-new}\n## What's new {#whats-new-1}\n```sh\n# [a](b.md)\n```",
    );
  });
});
