import type { SidebarSection } from './sidebar.ts';
import { type SitePage, sitePath } from './site-pages.ts';

/** The settings of VitePress, as data. `base` is the path of the site on its server, with slashes around it. */
export function vitepressConfig(
  sections: readonly SidebarSection[],
  pages: readonly SitePage[],
  referencePages: readonly SitePage[],
  base: string,
): object {
  const titles = new Map(pages.map(({ path, title }) => [path, title]));
  const sidebar = sections.map(({ title, isCollapsed, pages: paths }) => ({
    text: title,
    collapsed: isCollapsed ?? false,
    items: paths.map(sitePath).map((path) => ({ text: titles.get(path), link: `/${path}` })),
  }));
  const reference = {
    text: 'API reference',
    collapsed: true,
    items: referencePages.map(({ path, title }) => ({ text: title, link: `/${path}` })),
  };
  const atOperate = sidebar.findIndex(({ text }) => text === 'Operate');
  return {
    title: 'llama-corral',
    description: 'An OpenAI-compatible endpoint around llama-server',
    lang: 'en',
    base,
    srcDir: 'source',
    outDir: 'site',
    // The pages name local addresses such as http://127.0.0.1:8000.
    ignoreDeadLinks: 'localhostLinks',
    themeConfig: {
      search: {
        provider: 'local',
        // All words of a query, so that the name of a variable, which is split into words, finds that variable.
        options: { detailedView: true, miniSearch: { searchOptions: { combineWith: 'AND' } } },
      },
      sidebar: sidebar.toSpliced(atOperate, 0, reference),
      outline: [2, 3],
      docFooter: { prev: false, next: false },
    },
  };
}
