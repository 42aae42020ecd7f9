export interface EngineLine {
  readonly text: string;
  readonly level: 'warn' | 'info' | 'debug';
}

/** `0.00.011.706 E srv  load_model: …`: time since the start, level, then the words. */
const prefixed = /^[\d.]+ ([DIWE]) (.*)$/;
const alarming = /\b(error|fail(ed|ure)?|abort(ed)?|assert\w*|exception|fatal|out of memory)\b/i;

/** What it calls an error is often a client's mistake, and a warning an advice: each counts one less. */
const levels: Readonly<Record<string, EngineLine['level']>> = { E: 'warn', W: 'info' };

/** It warns of every prompt that it finds in its cache, and of every unknown caller: nothing to act on. */
const chatter = /^slot |unauthorized/;

/** Reads one line of llama-server's output. Lines from before its log is set up, and of older builds, have no level. */
export function parseEngineLine(line: string): EngineLine {
  const match = prefixed.exec(line);
  if (!match) return { text: line, level: alarming.test(line) ? 'warn' : 'debug' };
  const [, level = '', text = ''] = match;
  return { text, level: (level !== 'E' && chatter.test(text) ? undefined : levels[level]) ?? 'debug' };
}
