/** Something whose reading is watched, and what of it nobody has read though it was looked into. */
export interface Watched<T extends object> {
  readonly watched: T;
  unread(): string[];
}

interface Place {
  readonly at: string;
  readonly target: object;
  readonly read: Set<PropertyKey>;
}

/**
 * A validator that was made of a schema reads the fields that the schema knows, so what it leaves unread is unknown to
 * the schema: misspelt, most likely. An object of which nothing was read may hold anything.
 */
export function watchReads<T extends object>(value: T): Watched<T> {
  const places: Place[] = [];
  const proxies = new Map<object, object>();
  const watch = <Part extends object>(target: Part, at: string): Part => {
    const known = proxies.get(target);
    if (known) return known as Part;
    const place: Place = { at, target, read: new Set() };
    places.push(place);
    const proxy = new Proxy(target, {
      get(_, name) {
        place.read.add(name);
        const found: unknown = Reflect.get(target, name);
        const mine = typeof found === 'object' && found !== null && Object.hasOwn(target, name);
        return mine ? watch(found, `${at}/${String(name)}`) : found;
      },
    });
    proxies.set(target, proxy);
    return proxy;
  };
  return { watched: watch(value, ''), unread: () => places.flatMap(unreadIn) };
}

function unreadIn({ at, target, read }: Place): string[] {
  if (Array.isArray(target) || read.size === 0) return [];
  return Object.keys(target)
    .filter((name) => !read.has(name))
    .map((name) => `${at}/${name}`);
}
