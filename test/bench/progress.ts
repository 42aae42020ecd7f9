const began = performance.now();

/** A line on stderr, with the time since the start. */
export function say(text: string): void {
  const seconds = Math.round((performance.now() - began) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  process.stderr.write(`${clock.padStart(5)} ${text}\n`);
}
