/** Applies `change` to each line outside fenced blocks, and `changeFence` to the lines that open a block. */
function mapLines(
  markdown: string,
  change: (line: string) => string,
  changeFence: (line: string) => string,
): string {
  let isOpen = false;
  const lines = markdown.split('\n').map((line) => {
    if (!line.trimStart().startsWith('```')) return isOpen ? line : change(line);
    isOpen = !isOpen;
    return isOpen ? changeFence(line) : line;
  });
  return lines.join('\n');
}

/** The page as the generator reads it: links to the site's own paths, GitHub's anchors, fences without our tags. */
export function toSiteMarkdown(markdown: string, toSiteLink: (target: string) => string): string {
  const count = new Map<string, number>();
  const change = (line: string) => withAnchor(withLinks(line, toSiteLink), count);
  return mapLines(markdown, change, (fence) => fence.replace(/^(\s*```\S*).*$/, '$1'));
}

/** The first heading, as plain text. */
export function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll('`', '') ?? '';
}

/** The anchor of a heading, as GitHub generates it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The generator would give headings other anchors than GitHub, and links with anchors would break. */
function withAnchor(line: string, count: Map<string, number>): string {
  const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
  if (heading === undefined) return line;
  const anchor = anchorOf(heading);
  const before = count.get(anchor) ?? 0;
  count.set(anchor, before + 1);
  return `${line} {#${before === 0 ? anchor : `${anchor}-${before}`}}`;
}

/** Code is kept: whatever looks like a link in it is none. */
function withLinks(line: string, toSiteLink: (target: string) => string): string {
  return line.replaceAll(/`[^`]*`|(\]\()([^)\s]+)/g, (all, open?: string, target?: string) =>
    open === undefined || target === undefined ? all : `${open}${toSiteLink(target)}`,
  );
}
