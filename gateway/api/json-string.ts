const [quote, backslash] = [0x22, 0x5c];
/** Below it a loop is quicker than a call into Node. */
const SHORT = 16;

/** Where the closing quote of the JSON string stands whose text begins at `from`; the end of the bytes where it never closes. */
export function findStringEnd(json: Buffer, from: number): number {
  let end = nextQuote(json, from);
  while (end !== -1 && isEscaped(json, end)) end = nextQuote(json, end + 1);
  return end === -1 ? json.length : end;
}

function nextQuote(json: Buffer, from: number): number {
  const far = Math.min(from + SHORT, json.length);
  for (let at = from; at < far; at++) if (json[at] === quote) return at;
  return json.indexOf(quote, far);
}

function isEscaped(json: Buffer, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === backslash) backslashes += 1;
  return backslashes % 2 === 1;
}
