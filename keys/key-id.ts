/** What a key may be called; ids appear in logs, metrics and commands. */
export function isKeyId(text: string): boolean {
  return /^[\p{L}\p{N}_-]{1,64}$/u.test(text);
}

export const keyIdRule = 'must be 1 to 64 letters, digits, - or _';
