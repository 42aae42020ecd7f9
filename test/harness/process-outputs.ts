/** Enough for what happened last, characters. */
const MAX_SHOWN = 10_000;

const outputs: (() => string)[] = [];

/** If the present test fails, the end of this output is shown: a failure on another machine can hardly be repeated. */
export function showIfTestFails(output: () => string): void {
  outputs.push(output);
}

/** What the processes of the present test have written, without debug lines. The next call begins with nothing. */
export function takeOutputs(): readonly string[] {
  return outputs.splice(0).map((output) => withoutDebugLines(output()).slice(-MAX_SHOWN));
}

function withoutDebugLines(text: string): string {
  const isShown = (line: string) => !line.includes(' DEBUG ');
  return text.split('\n').filter(isShown).join('\n');
}
