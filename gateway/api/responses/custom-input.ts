/** What stands before the text of a custom tool's input, in the arguments of the function that stands for it. */
const opening = /^\s*\{\s*"input"\s*:\s*"/;
/** Characters and escapes that are whole. */
const whole = /^(?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*/;

/** The input of a call of a custom tool, read from the arguments of a function as they come. */
export class CustomInputReader {
  #held = '';
  #hasBegun = false;

  /** What these further characters of the arguments add to the input. */
  add(json: string): string {
    this.#held += json;
    if (!this.#hasBegun) {
      const begun = opening.exec(this.#held)?.[0];
      if (begun === undefined) return '';
      this.#hasBegun = true;
      this.#held = this.#held.slice(begun.length);
    }
    const read = whole.exec(this.#held)?.[0] ?? '';
    this.#held = this.#held.slice(read.length);
    return JSON.parse(`"${read}"`);
  }
}

/** The same of all the arguments; as they are where they have no such form. */
export function readCustomInput(json: string): string {
  try {
    const { input } = JSON.parse(json) as { input?: unknown };
    return typeof input === 'string' ? input : json;
  } catch {
    return new CustomInputReader().add(json);
  }
}
