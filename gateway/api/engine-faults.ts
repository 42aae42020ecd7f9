/**
 * Whether a 500 of llama-server is its own fault, by its words. There are few such: it throws `runtime_error` for nearly
 * all that it dislikes in a request, and its handler makes a 500 of each (server.cpp, `ex_wrapper`).
 */
export function isEngineFault(message: string): boolean {
  const words = message.replace(/^got exception: /, '');
  return !quotesTheRequest.test(words) && realFaults.test(words.split(/["'{[\n]/, 1)[0] ?? '');
}

/** These repeat what a client has sent, which may speak of anything. */
const quotesTheRequest =
  /^(?:failed to (?:parse|load image)|unknown (?!error)|unsupported (?!batch)|cannot |missing )/i;

const realFaults = new RegExp(
  [
    // While it decodes, for whoever is in its slots (server-context.cpp, `decode`).
    ...['compute error', 'context size has been exceeded', 'invalid input batch', 'unsupported batch'],
    ...['context shift', 'speculative', 'mtmd chunk', 'memory slot', 'kv[ -]?cache', 'has_embd'],
    'failed to (?:de|en)code|failed to (?:eval|process|allocate|reload|restore|remove sequence|get (?:logits|embeddings)$)',
    // It cannot, at the moment or on this machine.
    ...[
      'load(?:ing)? (?:the )?model',
      'model is loading',
      'shutting down',
      'unknown error',
      'internal server error',
    ],
    ...[
      'bad_alloc',
      'out of (?:\\w+ )?memory',
      'memory allocation',
      'device ?lost',
      'ErrorOutOf',
      'ErrorDevice',
    ],
    ...['\\bcuda\\b', '\\bhip\\b', 'vulkan', '\\bvk::', 'ggml', 'resource temporarily unavailable'],
    // Of a router, whose child is gone or does not come up.
    ...['^proxy error', '^model name=.* failed to load'],
    ...['too many open files', 'no space left', 'logits id', 'got exception while'],
  ].join('|'),
  'i',
);

/** A router has the request of a child that is not there any more; a moment later it has started another. */
export const isMissingRouterChild = (message: string) =>
  message.startsWith('proxy error: Could not establish connection');

/**
 * What the model has said could not be read as the call or the thought that its format wants. A grammar that lets it say
 * nothing at all is the request's.
 */
export function isModelOutputError(message: string, hasSpoken: boolean): boolean {
  return unreadable.test(message) || (hasSpoken && message.includes('empty grammar stack'));
}

const unreadable = /^(?:The model produced output that|Failed to parse input\b|Invalid diff:)/;

/**
 * What to tell of an input that the engine has to take in one piece, an embedding's or a document's, and cannot; undefined
 * for any other error.
 */
export function describeTooLargeInput(message: string): string | undefined {
  const [, tokens, reason, most] = tooLarge.exec(message) ?? [];
  if (tokens === undefined) return undefined;
  const way = reason?.startsWith('too large')
    ? 'the physical batch size (-ub in EXTRA_ARGS)'
    : 'the context (CTX)';
  return (
    `input (${tokens} tokens) is too large to process: this server takes ${most} tokens in one input. ` +
    `Send it in shorter pieces, or have the operator raise ${way}.`
  );
}

const tooLarge =
  /^input \((\d+) tokens\) is (too large to process|larger than the max context size)\b.*?(\d+)(?: tokens)?\)?(?:\..*)?$/s;
