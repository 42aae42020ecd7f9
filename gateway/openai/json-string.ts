const [quote, backslash] = [0x22, 0x5c];

/** Where the closing quote of the JSON string stands whose text begins at `from`; the end of the bytes where it never closes. */
export function endOfString(json: Buffer, from: number): number {
  let end = json.indexOf(quote, from);
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf(quote, end + 1);
  return end === -1 ? json.length : end;
}

function isEscaped(json: Buffer, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === backslash) backslashes += 1;
  return backslashes % 2 === 1;
}
