interface Source {
  readonly source: string;
}
/** Node has these functions; TypeScript does not know them yet. */
interface ExactJson {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver: (name: string, value: unknown, context: Source) => unknown): unknown;
}
const exact = JSON as typeof JSON & ExactJson;

/**
 * Parses JSON and keeps the text of numbers that JavaScript would write differently (a seed of 2^63, 1.0), so that
 * `JSON.stringify` gives it back. It takes some ten times as long as `JSON.parse`.
 */
export function parseKeepingNumbers(text: string): unknown {
  return exact.parse(text, (_: string, value: unknown, { source }: Source) =>
    typeof value === 'number' && source !== String(value) ? exact.rawJSON(source) : value,
  );
}

/** The same, as fast as `JSON.parse` for texts without such numbers. */
export function parseExactly(text: string): unknown {
  return mayHaveInexactNumbers(text) ? parseKeepingNumbers(text) : JSON.parse(text);
}

/** Whether a value is a number that was kept as text. Such a one is an object. */
export const isKeptNumber = (value: unknown): boolean => exact.isRawJSON(value);

/** Whether JavaScript may write one of its numbers differently. A string that looks like such a number gives true as well. */
export function mayHaveInexactNumbers(text: string): boolean {
  return inexactNumber.test(text);
}

/** At least 16 digits, an exponent, a fraction that ends in 0 or is long, or -0. */
const inexactNumber = /[:,[\s]-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d*0[\s,\]}]|\d+\.\d{14})|-0[\s,\]}]/;
