import { anchorOf } from '../../scripts/docs-site/markdown.ts';
import type { Page } from './pages.ts';

export interface FencedBlock {
  readonly language: string;
  /** The words after the language. They say how the block is tested. */
  readonly tags: readonly string[];
  readonly text: string;
  /** The line of its opening fence, from 1. */
  readonly line: number;
}

export function fencedBlocks(markdown: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: { info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (!fence) open?.lines.push(line);
    else if (!open) open = { info: fence[1] ?? '', line: index + 1, lines: [] };
    else {
      const [language = '', ...tags] = open.info.split(' ');
      blocks.push({ language, tags, text: `${open.lines.join('\n')}\n`, line: open.line });
      open = undefined;
    }
  }
  return blocks;
}

/** The page with its fenced blocks replaced by empty lines. */
export function proseOf(markdown: string): string {
  let isOpen = false;
  const keep = (line: string) => {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) isOpen = !isOpen;
    return isFence || isOpen ? '' : line;
  };
  return markdown.split('\n').map(keep).join('\n');
}

/** A block that is run against the product, with its expected output. */
export interface TriedBlock {
  /** `page:line`. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** Lines that must appear in this order, among others; `…` matches anything. */
  readonly output: string;
}

/** The blocks with the tag, each with the `text output` block after it. */
export function blocksTagged(tag: string, { path, text }: Page): TriedBlock[] {
  const blocks = fencedBlocks(text);
  return blocks.flatMap((block, index) => {
    if (!block.tags.includes(tag)) return [];
    const place = `${path}:${block.line}`;
    return [
      { place, language: block.language, text: block.text, output: outputOf(blocks[index + 1], place) },
    ];
  });
}

function outputOf(block: FencedBlock | undefined, place: string): string {
  if (block?.language !== 'text' || !block.tags.includes('output'))
    throw new Error(`${place}: a tried block must be followed by a "text output" block`);
  return block.text;
}

/** The first line of `expected` that is missing in `printed` after the lines before it; undefined if none is. */
export function missingLine(expected: string, printed: string): string | undefined {
  const lines = printed.split('\n').map((line) => line.trim());
  let from = 0;
  for (const wanted of linesOf(expected)) {
    const pattern = patternOf(wanted);
    const found = lines.slice(from).findIndex((line) => pattern.test(line));
    if (found === -1) return wanted;
    from += found + 1;
  }
  return undefined;
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '…');

function patternOf(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(RegExp.escape).join('.*')}$`);
}

/** The targets of the links and pictures of a page, unresolved. */
export function linksOf(markdown: string): string[] {
  const prose = proseOf(markdown).replaceAll(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)];
  const html = [...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)];
  return [...inline, ...html].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub generates them. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const anchor = anchorOf(heading);
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}
