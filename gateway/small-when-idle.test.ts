import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Every module that a file loads with itself, by its path from the root: no types, and nothing that is imported later. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(staticImport)) {
    if (path.startsWith('.')) loadedWith(join(dirname(file), path), found);
    else found.add(path);
  }
  return found;
}

const staticImport = /^(?:import|export) (?!type\b)[^;]*?from '([^']+)';$/gm;

it('a gateway with one model and no key file in JSON does not load zod, which takes 5 MB', () => {
  expect(loadedWith('keys/keys-json.ts')).toContain('zod');
  const started = new Set([...loadedWith('gateway/main.ts'), ...loadedWith('gateway/start-gateway.ts')]);
  expect(started).toContain('hono');
  expect(started).not.toContain('zod');
});
