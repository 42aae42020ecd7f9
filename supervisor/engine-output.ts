export interface EngineLine {
  readonly text: string;
  /** A warning or an error of llama-server's. */
  readonly important: boolean;
}

/** `0.00.011.706 E srv  load_model: …`: time since the start, level, then the words. */
const prefixed = /^[\d.]+ ([DIWE]) (.*)$/;
const alarming = /\b(error|fail(ed|ure)?|abort(ed)?|assert\w*|exception|fatal|out of memory)\b/i;

/** Reads one line of llama-server's output. Lines from before its log is set up, and of older builds, have no level. */
export function readEngineLine(line: string): EngineLine {
  const match = prefixed.exec(line);
  if (!match) return { text: line, important: alarming.test(line) };
  const [, level = '', text = ''] = match;
  return { text, important: level === 'W' || level === 'E' };
}
