const [opening, closing] = [0x7b, 0x7d];
/** What JSON takes for white space: blank, tab, line feed, carriage return. */
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The same JSON object with further members. They stand behind the client's own, as llama-server takes the last of two of
 * one name; so all other bytes stay as they came, numbers that JavaScript would round among them.
 */
export function appendFields(body: Buffer, members: string): Buffer {
  if (members === '') return body;
  const own = body.subarray(0, body.lastIndexOf(closing));
  return Buffer.concat([own, Buffer.from(`${isEmpty(own) ? '' : ','}${members}}`)]);
}

/** Whether nothing but the opening brace stands there, however many blanks there are around it. */
function isEmpty(members: Buffer): boolean {
  const first = members.indexOf(opening);
  for (let at = first + 1; at < members.length; at++) if (!blanks.has(members[at] ?? 0)) return false;
  return true;
}
