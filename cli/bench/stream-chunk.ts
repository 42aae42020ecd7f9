/** The content of one event, or of a response without streaming. */
interface StreamChunk {
  /** Whether it has text, reasoning, or a part of a tool call. */
  readonly hasContent: boolean;
  readonly isLast: boolean;
  /** Token counts, if reported. */
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  /** The code or type of an error. */
  readonly error: string | undefined;
}

interface Content {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
}

interface Completion {
  readonly choices?: readonly {
    readonly delta?: Content | null;
    readonly message?: Content | null;
    readonly text?: unknown;
    readonly finish_reason?: unknown;
  }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly error?: unknown;
}

/** Throws a SyntaxError for invalid JSON. */
export function parseChunk(text: string): StreamChunk {
  const { choices, usage, error } = (JSON.parse(text) ?? {}) as Completion;
  const all = Array.isArray(choices) ? (choices as NonNullable<Completion['choices']>) : [];
  return {
    hasContent: all.some(
      ({ delta, message, text }) => isText(text) || hasContent(delta) || hasContent(message),
    ),
    isLast: all.some(({ finish_reason }) => typeof finish_reason === 'string'),
    usage: readUsage(usage),
    error: error === undefined || error === null ? undefined : errorName(error),
  };
}

const isText = (text: unknown) => typeof text === 'string' && text !== '';

function hasContent(delta: Content | null | undefined): boolean {
  if (!delta) return false;
  const { content, reasoning_content, reasoning, tool_calls } = delta;
  return isText(content) || isText(reasoning_content) || isText(reasoning) || Array.isArray(tool_calls);
}

function readUsage(usage: Completion['usage']): StreamChunk['usage'] {
  const { prompt_tokens: input, completion_tokens: output } = usage ?? {};
  return typeof input === 'number' && typeof output === 'number' ? { input, output } : undefined;
}

/** Never the message: it may contain a part of the prompt. */
function errorName(error: unknown): string {
  const { code, type } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const name = [code, type].find((word) => typeof word === 'string' && /^[\w.-]{1,60}$/.test(word));
  return typeof name === 'string' ? name : typeof code === 'number' ? String(code) : 'error';
}

/** The same for the body of an error response, which may be anything. */
export function parseError(body: string): string | undefined {
  try {
    return parseChunk(body).error;
  } catch {
    return undefined;
  }
}
