/** Whether `wanted` stands in `bytes` at `at`. By hand: a call into Node costs more than these few bytes. */
export function matchesAt(wanted: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
