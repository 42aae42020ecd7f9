/**
 * The first name of a JSON text that would be lost when it is read: one that an object has twice, of which parsers keep the last, or
 * `__proto__`, which many programs drop. `text` is valid JSON.
 */
export function findLostName(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (const [token, quoted, colon] of text.matchAll(tokens)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (quoted !== undefined && colon !== undefined) {
      const name = JSON.parse(quoted) as string;
      const names = objects.at(-1);
      if (name === '__proto__' || names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

/** Names are the texts before a colon. What else is between braces says nothing about them. */
const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g;
