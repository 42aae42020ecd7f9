interface Source {
  readonly source: string;
}
/** Node has both; TypeScript does not know of them yet. */
interface ExactJson {
  rawJSON(text: string): object;
  parse(text: string, reviver: (name: string, value: unknown, context: Source) => unknown): unknown;
}
const exact = JSON as unknown as ExactJson;

/**
 * The same object with the numbers that JavaScript writes otherwise than they came (a seed of 2^63, 1.0) kept as their
 * text, which `JSON.stringify` gives back. It takes some ten times as long as `JSON.parse`.
 */
export function parseKeepingNumbers(text: string): unknown {
  return exact.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== String(value) ? exact.rawJSON(source) : value,
  );
}

/** Whether JavaScript may write a number in it otherwise; a text that looks like one may be taken for it. */
export function mayHaveInexactNumbers(text: string): boolean {
  return oddNumber.test(text);
}

/** Of 16 digits and more, with an exponent, with a fraction that ends in 0 or is long, or -0. */
const oddNumber = /[:,[\s]-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d*0[\s,\]}]|\d+\.\d{14})|-0[\s,\]}]/;
