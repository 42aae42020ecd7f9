import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRegistry } from './parse-registry.ts';
import { RegistryError } from './registry.ts';

const valid = {
  version: 1,
  models: [
    {
      id: 'a',
      file: 'a.gguf',
      ctx: 4096,
      args: ['-fa', 'on'],
      limits: { memory: '6GiB' },
      ttl: '5m',
      devices: [0],
    },
    { id: 'b', backends: [{ url: 'http://h:1', keyFile: '/k' }], kind: 'embeddings', defaults: { x: 1 } },
  ],
  aliases: [{ name: 'latest', targets: [{ model: 'a', weight: 1 }], previous: [{ model: 'a' }] }],
};

/** Every place in the valid registry, as a path of steps. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inside.flatMap(([name, field]) => places(field, [...path, name]))];
}

function replaced(value: unknown, [step, ...rest]: readonly string[], by: unknown): unknown {
  if (step === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[step] = replaced(copy[step], rest, by);
  return copy;
}

/** Undefined if the text was read, else its problems. Throws what must not be thrown. */
function problemsOf(text: string): readonly string[] | undefined {
  try {
    parseRegistry(text, '/models');
    return undefined;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return error.problems;
  }
}

it('the registry that is changed here is valid', () => {
  expect(problemsOf(JSON.stringify(valid))).toBeUndefined();
});

it('any value at any place is read, or reported with a place on one line', () => {
  fc.assert(
    fc.property(fc.constantFrom(...places(valid)), fc.jsonValue(), (path, value) => {
      for (const problem of problemsOf(JSON.stringify(replaced(valid, path, value))) ?? []) {
        expect(problem).toMatch(
          /^(?:the file|version|models|aliases|has version|(?:\w+|".*"): unknown field)/,
        );
        expect(problem).not.toContain('\n');
        expect(problem.length).toBeLessThan(1000);
      }
    }),
    { numRuns: 1000 },
  );
});

it('any text is read or reported', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => void problemsOf(text)),
    { numRuns: 500 },
  );
});
