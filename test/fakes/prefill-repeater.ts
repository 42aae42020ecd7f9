import { readPrefill } from '../../gateway/api/prefill.ts';

/** How a build of llama-server repeats the prefill. */
export interface RepeatingBuild {
  readonly prefillPieces: number;
  readonly ignoresContinueFields: boolean;
}

/** The pieces with which the stream of such a request begins; none if it has only new text. */
export function getRepeatedPieces(
  { prefillPieces, ignoresContinueFields }: RepeatingBuild,
  fields: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (prefillPieces === 0 || fields.stream !== true) return [];
  // Then the real engine does it itself.
  if (fields.echo || (!ignoresContinueFields && fields.continue_final_message)) return [];
  const shape = 'input' in fields ? 'response' : 'messages' in fields ? 'message' : 'completion';
  const text = readPrefill(shape, fields)?.texts.join('') ?? '';
  const size = Math.ceil(text.length / prefillPieces);
  // A surrogate pair is never cut: the engine sends whole characters.
  return size === 0 ? [] : (text.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []);
}

const textAt = /("content":"|"type":"text_delta","text":"|"type":"response.output_text.delta",.*"delta":")/;

/** Inserts the prefill at the beginning of a stream, its last piece together with the engine's first text. */
export class PrefillRepeater {
  #pieces: readonly string[];

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  /** The event, preceded by the events that are to be inserted. */
  insertBefore(block: string): string[] {
    if (this.#pieces.length === 0 || !textAt.test(block)) return [block];
    // The real engine has repeated it already.
    if (block.includes(JSON.stringify(this.#pieces.join('')).slice(1, -1))) this.#pieces = [];
    if (this.#pieces.length === 0) return [block];
    const before = this.#pieces.slice(0, -1).map((piece) => withText(block, piece, false));
    const last = withText(block, this.#pieces.at(-1) ?? '', true);
    this.#pieces = [];
    return [...before, last];
  }
}

function withText(block: string, piece: string, keepsOwnText: boolean): string {
  const escaped = JSON.stringify(piece).slice(1, -1);
  return block.replace(new RegExp(`${textAt.source}((?:[^"\\\\]|\\\\.)*)`), (_, mark: string, own: string) =>
    keepsOwnText ? `${mark}${escaped}${own}` : `${mark}${escaped}`,
  );
}
