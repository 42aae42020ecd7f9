/** The first line of `expected` that `printed` lacks, the lines before it having come in their order; undefined where none does. */
export function missingLine(expected: string, printed: string): string | undefined {
  const lines = printed.split('\n').map((line) => line.trim());
  let from = 0;
  for (const wanted of linesOf(expected)) {
    const pattern = patternOf(wanted);
    const found = lines.slice(from).findIndex((line) => pattern.test(line));
    if (found === -1) return wanted;
    from += found + 1;
  }
  return undefined;
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '…');

function patternOf(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(RegExp.escape).join('.*')}$`);
}
