/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same object where nothing differs, else one with these members; undefined takes a member out. */
export function withFields(fields: JsonObject, members: JsonObject): JsonObject {
  const differing = Object.keys(members).filter((name) =>
    members[name] === undefined ? name in fields : members[name] !== fields[name],
  );
  if (differing.length === 0) return fields;
  const changed: Record<string, unknown> = { ...fields };
  for (const name of differing) {
    if (members[name] === undefined) delete changed[name];
    else changed[name] = members[name];
  }
  return changed;
}

/** The same list where every step gave back what it got. A step may give several for one, or none. */
export function mapList(
  list: readonly unknown[],
  step: (item: unknown, index: number) => unknown,
): readonly unknown[] {
  let changed: unknown[] | undefined;
  list.forEach((item, index) => {
    const next = step(item, index);
    if (next !== item) changed ??= list.slice(0, index);
    if (changed === undefined || next === undefined) return;
    if (next !== item && Array.isArray(next)) changed.push(...next);
    else changed.push(next);
  });
  return changed ?? list;
}

/** The same object without those of the named members that are null: OpenAI allows them, llama-server does not. */
export function withoutNulls(fields: JsonObject, names: readonly string[]): JsonObject {
  const isIn = names.some((name) => fields[name] === null);
  if (!isIn) return fields;
  return withFields(
    fields,
    Object.fromEntries(names.filter((name) => fields[name] === null).map((name) => [name, undefined])),
  );
}
