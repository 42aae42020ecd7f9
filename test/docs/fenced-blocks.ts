/** A fenced block of a page. */
export interface FencedBlock {
  readonly language: string;
  /** The words behind the language: ours say what is done with the block. */
  readonly tags: readonly string[];
  readonly text: string;
  /** Of its opening fence, from 1. */
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

/** The page without its fenced blocks, line for line. */
export function proseOf(markdown: string): string {
  let isOpen = false;
  const keep = (line: string) => {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) isOpen = !isOpen;
    return isFence || isOpen ? '' : line;
  };
  return markdown.split('\n').map(keep).join('\n');
}
