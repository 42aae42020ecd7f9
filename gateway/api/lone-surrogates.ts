/**
 * The same JSON with U+FFFD for every escape of half a character (`\ud83d` alone), which is how JavaScript writes a text
 * that was cut inside an emoji. llama-server refuses the whole body for one. Nearly all bodies have no such escape.
 */
export function withoutLoneSurrogates(body: Buffer): Buffer {
  if (!mayHoldSurrogates(body)) return body;
  const text = body.toString();
  const sound = replaceLoneSurrogates(text);
  return sound === text ? body : Buffer.from(sound);
}

/** The same in a JSON text. */
export function replaceLoneSurrogates(text: string): string {
  if (!text.includes('\\ud') && !text.includes('\\uD')) return text;
  return text.replace(escapes, (found) => (found.length === LONE ? '\\ufffd' : found));
}

/** Most bodies have no such escape at all, and one search tells that. */
const mayHoldSurrogates = (body: Buffer) => body.includes('\\u') && /\\u[dD]/.test(body.toString('latin1'));

const LONE = '\\ud83d'.length;

/** A backslash that is escaped itself, a whole pair, and half of one. */
const escapes =
  /\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}/g;
