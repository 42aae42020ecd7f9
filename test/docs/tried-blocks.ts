import { type FencedBlock, fencedBlocks } from './fenced-blocks.ts';
import type { Page } from './pages.ts';

/** A block that is run against the product, and what it has to print. */
export interface TriedBlock {
  /** `page:line`. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** Lines that come in this order, among others; `…` stands for anything. */
  readonly output: string;
}

/** Those with the tag, each with the `text output` block behind it. */
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
