const closing = 0x7d;

/**
 * The same JSON object with further members. They stand behind the client's own, as llama-server takes the last of two of
 * one name; so all other bytes stay as they came, numbers that JavaScript would round among them.
 */
export function withMembers(body: Buffer, members: string): Buffer {
  if (members === '') return body;
  const own = body.subarray(0, body.lastIndexOf(closing));
  return Buffer.concat([own, Buffer.from(`${isEmpty(own) ? '' : ','}${members}}`)]);
}

/** Whether nothing but the opening brace stands there. */
function isEmpty(members: Buffer): boolean {
  return members.toString('latin1', 0, 64).trim() === '{';
}
