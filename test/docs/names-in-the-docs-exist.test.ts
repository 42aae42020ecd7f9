import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseKeys } from '../../keys/parse-keys.ts';
import { fingerprint } from '../../keys/secret.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { removedVariables, variables } from '../../settings/variables.ts';
import { fencedBlocks } from './fenced-blocks.ts';
import { allPages, readPage } from './pages.ts';

const pages = allPages().map(({ path, text }) => [path, text] as const);

/** Pages about platforms and about the making of releases speak of the variables of others. */
const aboutUs = pages.filter(
  ([path]) => !/^(docs\/platforms|docker|\.github)\/|(release|security)\.md$/i.test(path),
);

/** Set by platforms, by llama-server's users, by our image builds and our tests: they are in the docs, and not ours to read. */
const ofOthers = new Set(
  ['CORRAL_API_KEY ADMIN_KEY LLAMA_KEY LLAMA_CACHE LLAMA_ARG_HOST LD_LIBRARY_PATH INSTANCE_ID']
    .concat('RUNPOD_API_KEY RUNPOD_POD_ID CONTAINER_API_KEY CONTAINER_ID NODE_COMPILE_CACHE')
    .concat('ALLOW_MISSING_PEERS NO_COLOR LLAMA_CPP_TAG RATE_LIMIT GPU_LAYERS CONTEXT_SIZE')
    .concat('CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY')
    .flatMap((names) => names.split(' ')),
);
const isKnown = (name: string) =>
  Object.hasOwn(variables, name) ||
  Object.hasOwn(variables, name.replace(/_FILE$/, '')) ||
  Object.hasOwn(removedVariables, name) ||
  name.startsWith('OTEL_') ||
  ofOthers.has(name);

it.each(aboutUs)('%s names variables that there are', (_, text) => {
  const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?==[^`]*`|`)/g)].map(
    ([, name = '']) => name,
  );
  expect([...new Set(named)].filter((name) => !isKnown(name))).toEqual([]);
});

it.each(pages)('%s names metrics that there are', (_, text) => {
  const known = readPage('docs/metrics.md').text;
  const named = [...text.matchAll(/`(corral_[a-z_]+)/g)].map(([, name = '']) =>
    name.replace(/_(sum|count|bucket)$/, ''),
  );
  expect(named.filter((name) => !known.includes(`\`${name}`))).toEqual([]);
});

it.each(pages)('%s names commands that there are', (_, text) => {
  const verbs = [...text.matchAll(/(?:`|^|\$\()corral ((?:keys )?[a-z-]+)/gm)].map(([, verb = '']) => verb);
  expect(verbs.filter((verb) => !commands.has(verb))).toEqual([]);
});

it.each(pages)('%s names files of this repository that exist', (_, text) => {
  const folders =
    'cli|docker|docs|fs|gateway|health|keys|log|nvidia-smi-parser|runpod|scripts|settings|sse|supervisor|test';
  const named = [...text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g'))].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(join(projectFolder, path)))).toEqual([]);
});

it('docs/api.md tells the codes of all refusals', () => {
  const { text } = readPage('docs/api.md');
  const source = readFileSync(join(projectFolder, 'gateway/errors/catalogue.ts'), 'utf8');
  const codes = [...source.matchAll(/^\s+code: '(\w+)'/gm)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(30);
  expect([...new Set(codes)].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

it('the key file that docs/keys.md shows is one, of a secret that it names by its hash', () => {
  const [block] = fencedBlocks(readPage('docs/keys.md').text).filter(({ tags }) => tags.includes('key-file'));
  const { keys, warnings } = parseKeys(block?.text ?? '');
  expect(warnings).toEqual([]);
  expect(keys).toMatchObject([
    { id: 'app', fingerprint: fingerprint('sk-0123456789abcdef'), limits: { requestsPerMinute: 60 } },
  ]);
});

const commands = new Set(
  globSync('{cli,scripts}/**/*.ts', { cwd: projectFolder }).flatMap((file) => {
    const source = readFileSync(join(projectFolder, file), 'utf8');
    const names = [...source.matchAll(/(?:new Command|switchCommand)\('([a-z-]+)'/g)].map(
      ([, name = '']) => name,
    );
    return file.startsWith('cli/keys/')
      ? names.map((name) => (name === 'keys' ? name : `keys ${name}`))
      : names;
  }),
);
