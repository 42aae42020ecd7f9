/** Replaces a quotation. */
const cut = '…';

/** What is left of a message is a sentence; anything longer is cut. */
const MAX_LENGTH = 600;

/**
 * How llama-server's errors quote a request or a completion, each with its replacement. `$1` and `$2` are llama-server's own text.
 * Text behind them that may contain anything is cut to the end.
 */
const quotations: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // The JSON library's excerpt, and the text of a number that is too large.
  [/;? *last read: .*/s, ''],
  [/(number overflow parsing) .*/s, '$1'],
  // Complete messages, tools and schemas.
  [/; tools = .*/s, ''],
  [/(?: in message)?:\s*(?!"\w+": )(?:[{"]|\[(?=\s*[[{"\]\d])).*/s, ''],
  [/( got) (?:[{"]|\[(?=\s*[[{"\]\d])).*/s, `$1 ${cut}`],
  [/(Unrecognized schema|not in) *[:{["].*/s, '$1'],
  // Values of fields, and parts of grammars, patterns and templates.
  [
    /(Invalid tool_choice|Unknown reasoning format|Unsupported param|Invalid uri format|Unknown chat format): .*/s,
    '$1',
  ],
  [
    /(file path is not allowed|file does not exist or cannot be opened|no handler registered for @requestFormat): .*/s,
    '$1',
  ],
  [/((?:Grammar trigger word|Trigger word)[^:]*): .*/s, '$1'],
  [
    /((?:un)?[Uu]n(?:recognized|known|supported) (?:type|schema type|chat template|template)),? [^,;]*/s,
    '$1',
  ],
  [/(but got|, got|instead of): .*/s, `$1 ${cut}`],
  [
    /((?:[Uu]nsupported|cannot resolve|resolving) (?:\$?ref|reference)):? .*?((?:, only references|, remote|$).*)/s,
    '$1$2',
  ],
  [
    /(Invalid pattern) .*?(: (?:unbalanced|[Pp]attern must|empty|invalid|unexpected|nothing|unsupported|missing|unterminated|quantifier|bad)[a-z ]*|$).*/s,
    '$1$2',
  ],
  [/(pattern) .*? (is not supported)/s, '$1 $2'],
  [/([Uu]nsupported (?:escape(?: in character class)?|character)): .*/s, '$1'],
  [/((?:expecting|expected) .{1,40}?) at (?!line|position|least|most|pos\b).*/s, '$1'],
  [/(hex chars|unknown escape|parse token) at .*/s, '$1'],
  [
    /([Uu]ndefined rule identifier|[Ii]nvalid token|[Uu]nknown rule|Rule not found:?|Rule) (?!must|may).*/s,
    '$1',
  ],
  [/(Unexpected empty grammar stack after accepting piece).*/s, '$1'],
  [/(without preceding char): .*/s, '$1'],
  [/(Grammar triggered on regex|Failed to process regex): .*/s, '$1'],
  [/(Unexpected token|Unknown statement|Expected identifier|unexpected character|\(Got) ?:? .*/s, '$1'],
  [/(Jinja Exception: [^:'"{[\n]*).*/s, '$1'],
  [/(Failed to (?:format input|parse input at pos(?:ition)? \d+|parse input)) ?:.*/s, '$1'],
  [
    /(Invalid diff|Tool call mismatch|Parsed message|The model produced output that does not match the expected [\w-]+ format) ?:(?! (?:now finding less tool calls|tool call mismatch)!$).*/s,
    '$1',
  ],
  [
    /(downloading|[Ff]ailed to (?:download|load|open|decode|fetch|process) [a-z ]*?)(?: from)?:? ['"].*/s,
    '$1',
  ],
];

/**
 * Any other quotation, except a short, plain name of a field, was sent or generated. It may contain quotes itself, so it is cut
 * to the end.
 */
const quotation = /(?<![\w'"`^$\]*.])(['"`])(?!(?:[\w.@$^[\]*-]{1,40})\1).*/s;

/** A place in a schema: its keywords and numbers are kept, the client's own names are cut. */
const schemaPath = /#(?:\/[^\s:,;]*)+/g;
const keywords =
  /^(?:properties|items|prefixItems|additionalProperties|patternProperties|anyOf|oneOf|allOf|not|\$defs|definitions|enum|const|required|pattern|type|format|\$ref|if|then|else|\d+)$/;

/**
 * Removes from an error of llama-server what it quotes of the request, a grammar or generated text. The client knows what it
 * sent, and it must not appear in the logs of programs between the client and us.
 */
export function redactMessage(message: string): string {
  let redacted = message;
  for (const [pattern, replacement] of quotations) redacted = redacted.replace(pattern, replacement);
  redacted = redacted
    .replace(quotation, cut)
    .replace(schemaPath, redactPath)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return redacted.length > MAX_LENGTH ? `${redacted.slice(0, MAX_LENGTH)}${cut}` : redacted;
}

/** A name behind `properties` is the client's own, even where it looks like a keyword. */
function redactPath(path: string): string {
  const steps = path.split('/');
  return steps
    .map((step, index) => {
      if (index === 0) return step;
      const isName = /^(?:properties|patternProperties|\$defs|definitions)$/.test(steps[index - 1] ?? '');
      return keywords.test(step) && !isName ? step : cut;
    })
    .join('/');
}
