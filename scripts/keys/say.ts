/** Words for the person at the terminal, on stderr: they never mix with the data. */
export function say(words: string): void {
  process.stderr.write(`${words}\n`);
}

/** Data, on stdout, where a script reads it. */
export function print(data: string): void {
  process.stdout.write(`${data}\n`);
}

export function printJson(data: unknown): void {
  print(JSON.stringify(data, null, 2));
}
