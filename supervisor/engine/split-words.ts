const word = /(?:[^\s"'\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/y;
const blank = /\s*/y;

/** Cuts a line into words as a shell does with quotes and backslashes, without expanding anything; undefined where a quote stays open. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    blank.lastIndex = at;
    at += blank.exec(line)?.[0].length ?? 0;
    if (at >= line.length) return words;
    word.lastIndex = at;
    const raw = word.exec(line)?.[0];
    if (raw === undefined) return undefined;
    at += raw.length;
    if (at < line.length && !/\s/.test(line.charAt(at))) return undefined;
    words.push(unquote(raw));
  }
}

function unquote(raw: string): string {
  return raw.replace(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  );
}
