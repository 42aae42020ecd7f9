/** A smaller input that still fails, found by leaving out ever smaller pieces, in at most `tries` attempts. */
export async function shrink(
  input: Buffer,
  fails: (input: Buffer) => Promise<boolean>,
  tries: number,
): Promise<Buffer> {
  let smallest = input;
  let left = tries;
  for (let size = input.length >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && left > 0; left--) {
      const without = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (await fails(without)) smallest = without;
      else at += size;
    }
  }
  return smallest;
}
