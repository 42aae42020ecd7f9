import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { blocksTagged, fencedBlocks, missingLine } from './markdown.ts';
import { allPages, readPage } from './pages.ts';
import { type DocumentedProduct, startDocumentedProduct } from './start-documented-product.ts';

let product: DocumentedProduct;
beforeAll(async () => {
  product = await startDocumentedProduct();
});
afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
});

const pages = allPages();
const tried = pages.flatMap((page) => blocksTagged('tried', page));

describe('each block marked as tried prints what the page shows', () => {
  it.each(tried.map((block) => [block.place, block] as const))(
    '%s',
    async (_, block) => {
      const printed = await product.run(block);
      expect(missingLine(block.output, printed), `it printed:\n${printed}`).toBeUndefined();
    },
    60_000,
  );
});

it('`npm start` prints what the README shows', () => {
  const [start] = blocksTagged('start', readPage('README.md'));
  expect(start?.text).toBe('npm start\n');
  expect(packageFile.scripts.start).toContain('bootstrap.js start');
  expect(missingLine(start?.output ?? '', product.printed()), product.printed()).toBeUndefined();
});

it('`npm run -s corral --` is `corral`', () => {
  expect(packageFile.scripts.corral).toBe('exec node scripts/bootstrap.js corral');
});

it('the README and the quick start contain tried blocks, the README also JavaScript', () => {
  const languages = (path: string) =>
    tried.filter(({ place }) => place.startsWith(path)).map((b) => b.language);
  expect(new Set(languages('README.md'))).toEqual(new Set(['sh', 'js']));
  expect(languages('docs/quick-start.md')).toContain('sh');
});

it('Python examples parse, if Python is installed', () => {
  const programs = pages.flatMap((page) => fencedBlocks(page.text).filter((it) => it.language === 'python'));
  expect(programs.length).toBeGreaterThan(0);
  for (const { text } of programs) {
    const args = ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'];
    const { exitCode, stderr } = execaSync('python3', args, { input: text, reject: false });
    expect(exitCode ?? 0, stderr).toBe(0);
  }
});
