import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../../scripts/project-folders.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages } from './pages.ts';

const folders =
  '{gateway,supervisor,health,jobs,keys,models,store,fs,settings,log,cli/keys,cli/serve,scripts/engine}';
const sources = globSync(`${folders}/**/*.ts`, { cwd: projectFolder })
  .filter((file) => !file.includes('.test.'))
  .map((file) => readFileSync(join(projectFolder, file), 'utf8'));

const quoted = allPages().flatMap(({ path, text }) =>
  fencedBlocks(text)
    .filter(({ tags }) => tags.includes('message'))
    .flatMap((block) => block.text.split('\n').filter((line) => line !== ''))
    .map((message) => [path, message] as const),
);

it('the pages quote messages', () => {
  expect(quoted.length).toBeGreaterThan(20);
});

it.each(quoted)('%s quotes a message of the sources: %s', (_, message) => {
  expect(sources.some((source) => says(source, message))).toBe(true);
});

/** Whether a literal of the source matches the message, with `${…}` for each `…`. */
function says(source: string, message: string): boolean {
  const words = message.split('…').map(RegExp.escape);
  return new RegExp(words.join(String.raw`(?:\$\{[^\n]*?\}|['"\`])`)).test(source);
}
