import { type FencedBlock, fencedBlocks } from './fenced-blocks.ts';
import type { Page } from './pages.ts';

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
    throw new Error(`${place}: a block that is tried is followed by one of "text output"`);
  return block.text;
}
