import { dirname, extname, join } from 'node:path/posix';
import { titleOf, toSiteMarkdown } from './markdown.ts';
import type { SidebarSection } from './sidebar.ts';

/** A page by its path in the site, such as `platforms/vast.md`. */
export interface SitePage {
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

export interface SiteContent {
  readonly pages: readonly SitePage[];
  /** Copies of the repository's files that pages link to: from the path in the site to that in the repository. */
  readonly files: ReadonlyMap<string, string>;
}

/** The pages of the sidebar, with their links turned into links of the site. `read` reads a file of the repository. */
export function siteContent(
  sections: readonly SidebarSection[],
  read: (path: string) => string,
): SiteContent {
  const paths = new Set(sections.flatMap(({ pages }) => pages));
  const files = new Map<string, string>();
  const pages = [...paths].map((path) => {
    const markdown = read(path);
    const text = toSiteMarkdown(markdown, (target) => {
      if (/^(https?:|mailto:|#)/.test(target)) return target;
      const [to = '', anchor] = target.split('#');
      const wanted = join(dirname(path), decodeURIComponent(to));
      const hash = anchor === undefined ? '' : `#${anchor}`;
      if (paths.has(wanted)) return `/${sitePath(wanted)}${hash}`;
      const copy = copyPath(wanted);
      files.set(copy, wanted);
      return `/${copy}`;
    });
    return { path: sitePath(path), title: titleOf(markdown), text };
  });
  return { pages, files };
}

/** Where a page of the repository is in the site. The README is the home page. */
export function sitePath(path: string): string {
  if (path === 'README.md') return 'index.md';
  if (path === 'docs/README.md') return 'all-pages.md';
  if (path.startsWith('docs/')) return path.slice('docs/'.length);
  return `repository/${path.toLowerCase().replace(/\/readme\.md$/, '.md')}`;
}

/** Servers know pictures by their names; other files would be downloaded, or even played as videos (`.ts`). */
function copyPath(path: string): string {
  return `files/${path}${['.svg', '.png'].includes(extname(path)) ? '' : '.txt'}`;
}
