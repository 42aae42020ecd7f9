/** What one event of a stream, or an answer in one piece, tells. */
export interface StreamChunk {
  /** Whether something was said: text, thoughts, or a part of a tool call. */
  readonly hasContent: boolean;
  readonly isLast: boolean;
  /** Tokens, where they are told. */
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  /** The code or type of an error. */
  readonly error: string | undefined;
}

interface Said {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
}

interface Answer {
  readonly choices?: readonly {
    readonly delta?: Said | null;
    readonly message?: Said | null;
    readonly text?: unknown;
    readonly finish_reason?: unknown;
  }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly error?: unknown;
}

/** Throws a SyntaxError for what is no JSON. */
export function parseChunk(text: string): StreamChunk {
  const { choices, usage, error } = (JSON.parse(text) ?? {}) as Answer;
  const all = Array.isArray(choices) ? (choices as NonNullable<Answer['choices']>) : [];
  return {
    hasContent: all.some(
      ({ delta, message, text: words }) => isSaid(words) || speaks(delta) || speaks(message),
    ),
    isLast: all.some(({ finish_reason }) => typeof finish_reason === 'string'),
    usage: readUsage(usage),
    error: error === undefined || error === null ? undefined : nameOfError(error),
  };
}

const isSaid = (words: unknown) => typeof words === 'string' && words !== '';

function speaks(said: Said | null | undefined): boolean {
  if (!said) return false;
  const { content, reasoning_content, reasoning, tool_calls } = said;
  return isSaid(content) || isSaid(reasoning_content) || isSaid(reasoning) || Array.isArray(tool_calls);
}

function readUsage(usage: Answer['usage']): StreamChunk['usage'] {
  const { prompt_tokens: input, completion_tokens: output } = usage ?? {};
  return typeof input === 'number' && typeof output === 'number' ? { input, output } : undefined;
}

/** Never the message: it may hold a part of the prompt. */
function nameOfError(error: unknown): string {
  const { code, type } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const name = [code, type].find((word) => typeof word === 'string' && /^[\w.-]{1,60}$/.test(word));
  return typeof name === 'string' ? name : typeof code === 'number' ? String(code) : 'error';
}

/** The same for the body of a refusal, which may be anything. */
export function parseError(body: string): string | undefined {
  try {
    return parseChunk(body).error;
  } catch {
    return undefined;
  }
}
