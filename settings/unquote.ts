/**
 * A value without the quotes around it, of one kind or the other: docker's `--env-file` and many a template's form hand
 * them on as a part of it. Of a list they go from each part. Undefined where there are none; quotes that belong to a
 * part of the value, such as `"a b" "c d"`, are left alone.
 */
export function unquote(text: string): string | undefined {
  const whole = inner(text);
  if (whole !== undefined) return unquote(whole) ?? whole;
  const parts = text.split(',').map((part) => inner(part.trim()));
  return parts.length > 1 && parts.every((part) => part !== undefined) ? parts.join(',') : undefined;
}

function inner(text: string): string | undefined {
  return /^"([^"]*)"$|^'([^']*)'$/s
    .exec(text)
    ?.slice(1)
    .find((part) => part !== undefined)
    ?.trim();
}
