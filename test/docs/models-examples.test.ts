import { expect, it } from 'vitest';
import { parseRegistry } from '../../models/parse-registry.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages } from './pages.ts';

const examples = allPages().flatMap(({ path, text }) =>
  fencedBlocks(text)
    .filter((block) => block.language === 'json' && /^ {2}"models": \[/m.test(block.text))
    .map((block) => [path, block.text] as const),
);

it('the pages show files of models', () => {
  expect(examples.length).toBeGreaterThan(1);
});

it.each(examples)('%s shows a file of models without mistakes: %s', (_, text) => {
  expect(parseRegistry(text, '/models').models.length).toBeGreaterThan(0);
});
