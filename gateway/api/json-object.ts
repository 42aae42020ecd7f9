/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object's members; none of any other value. */
export const asObject = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

/** A list's items; none of any other value. */
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Undefined where the text is not JSON, or not an object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The same object where nothing differs, else a copy with these members; undefined removes a member. */
export function withFields(object: JsonObject, members: JsonObject): JsonObject {
  const differing = Object.keys(members).filter((name) =>
    members[name] === undefined ? name in object : members[name] !== object[name],
  );
  if (differing.length === 0) return object;
  const changed: Record<string, unknown> = { ...object };
  for (const name of differing) {
    if (members[name] === undefined) delete changed[name];
    else changed[name] = members[name];
  }
  return changed;
}

/** The same list where every step returned its item, else a new one. A step may return several items, or undefined for none. */
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

/** Removes those of the named members that are null: OpenAI allows them, llama-server does not. */
export function withoutNulls(object: JsonObject, names: readonly string[]): JsonObject {
  const nulls = names.filter((name) => object[name] === null);
  if (nulls.length === 0) return object;
  return withFields(object, Object.fromEntries(nulls.map((name) => [name, undefined])));
}
