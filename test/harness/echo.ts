import { readPrefill } from '../../gateway/api/prefill.ts';

/** How a build tells the assistant's last message again. */
export interface EchoingBuild {
  readonly echoes: number;
  readonly heedsNobody: boolean;
}

/** What the stream of such a request begins with, in pieces; none where it says only what is new. */
export function repeatedBy(
  { echoes, heedsNobody }: EchoingBuild,
  fields: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (echoes === 0 || fields.stream !== true) return [];
  // The real engine does it then.
  if (fields.echo || (!heedsNobody && fields.continue_final_message)) return [];
  const shape = 'input' in fields ? 'response' : 'messages' in fields ? 'message' : 'completion';
  const text = readPrefill(shape, fields)?.texts.join('') ?? '';
  const size = Math.ceil(text.length / echoes);
  // A character of two halves is never cut: the engine sends whole ones.
  return size === 0 ? [] : (text.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []);
}

const textAt = /("content":"|"type":"text_delta","text":"|"type":"response.output_text.delta",.*"delta":")/;

/** Lets a stream begin with a text that the engine has not said, the last piece of it together with what it says first. */
export class Echo {
  #pieces: readonly string[];

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  /** The event, and before it those that it makes necessary. */
  around(block: string): string[] {
    if (this.#pieces.length === 0 || !textAt.test(block)) return [block];
    // A real engine of this kind has told it already.
    if (block.includes(JSON.stringify(this.#pieces.join('')).slice(1, -1))) this.#pieces = [];
    if (this.#pieces.length === 0) return [block];
    const before = this.#pieces.slice(0, -1).map((piece) => withText(block, piece, false));
    const last = withText(block, this.#pieces.at(-1) ?? '', true);
    this.#pieces = [];
    return [...before, last];
  }
}

function withText(block: string, piece: string, isKept: boolean): string {
  const escaped = JSON.stringify(piece).slice(1, -1);
  return block.replace(new RegExp(`${textAt.source}((?:[^"\\\\]|\\\\.)*)`), (_, mark: string, own: string) =>
    isKept ? `${mark}${escaped}${own}` : `${mark}${escaped}`,
  );
}
