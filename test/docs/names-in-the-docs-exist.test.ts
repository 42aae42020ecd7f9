import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commands } from '../../cli/commands.ts';
import { keysCommand } from '../../cli/keys/keys-command.ts';
import { parseKeys } from '../../keys/parse-keys.ts';
import { fingerprint } from '../../keys/secret.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { removedVariables } from '../../settings/removed-variables.ts';
import { variables } from '../../settings/variables.ts';
import { fencedBlocks } from './markdown.ts';
import { allPages, readPage } from './pages.ts';

const pages = allPages().map(({ path, text }) => [path, text] as const);

/** Pages about platforms and releases also name variables of other programs. */
const ownPages = pages.filter(
  ([path]) => !/^(docs\/platforms|docker|\.github)\/|(release|security)\.md$/i.test(path),
);

/** Variables of platforms, of llama-server, of our image builds and of our tests. The product does not read them. */
const foreignNames = new Set(
  ['CORRAL_API_KEY ADMIN_KEY LLAMA_KEY LLAMA_CACHE LLAMA_ARG_HOST LD_LIBRARY_PATH INSTANCE_ID']
    .concat(
      'RUNPOD_API_KEY RUNPOD_POD_ID CONTAINER_API_KEY CONTAINER_ID NODE_COMPILE_CACHE NODE_EXTRA_CA_CERTS',
    )
    .concat('ALLOW_MISSING_PEERS NO_COLOR LLAMA_CPP_TAG RATE_LIMIT GPU_LAYERS CONTEXT_SIZE')
    .concat('CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY', 'OPENCODE_CONFIG_CONTENT')
    .concat('ANTHROPIC_BASE_URL', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_MODEL')
    .concat('ENABLE_FORWARD_USER_INFO_HEADERS')
    .flatMap((names) => names.split(' ')),
);
const isKnown = (name: string) =>
  Object.hasOwn(variables, name) ||
  Object.hasOwn(variables, name.replace(/_FILE$/, '')) ||
  Object.hasOwn(removedVariables, name) ||
  name.startsWith('OTEL_') ||
  foreignNames.has(name);

it.each(ownPages)('%s names only variables that exist', (_, text) => {
  const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?==[^`]*`|`)/g)].map(
    ([, name = '']) => name,
  );
  expect([...new Set(named)].filter((name) => !isKnown(name))).toEqual([]);
});

it.each(pages)('%s names only metrics that exist', (_, text) => {
  const known = readPage('docs/metrics.md').text;
  const named = [...text.matchAll(/`(corral_[a-z_]+)/g)].map(([, name = '']) =>
    name.replace(/_(sum|count|bucket)$/, ''),
  );
  expect(named.filter((name) => !known.includes(`\`${name}`))).toEqual([]);
});

it.each(pages)('%s names only commands that exist', (_, text) => {
  const verbs = [...text.matchAll(/(?:`|^|\$\()corral ((?:keys )?[a-z-]+)/gm)].map(([, verb = '']) => verb);
  expect(verbs.filter((verb) => !commandNames.has(verb))).toEqual([]);
});

it.each(pages)('%s names only files that exist', (_, text) => {
  const folders =
    'cli|docker|docs|fs|gateway|health|jobs|keys|log|nvidia-smi-parser|runpod|scripts|settings|sse|store|supervisor|test';
  const named = [...text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g'))].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(join(projectFolder, path)))).toEqual([]);
});

it('docs/api.md lists the codes of all errors', () => {
  const { text } = readPage('docs/api.md');
  const source = ['catalogue', 'store-catalogue', 'responses-catalogue']
    .map((name) => readFileSync(join(projectFolder, `gateway/errors/${name}.ts`), 'utf8'))
    .join('\n');
  const codes = [...source.matchAll(/^\s+code: '(\w+)'/gm)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(30);
  expect([...new Set(codes)].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

it('docs/keys.md shows a valid key file with the right fingerprint', async () => {
  const [block] = fencedBlocks(readPage('docs/keys.md').text).filter(({ tags }) => tags.includes('key-file'));
  const { keys, warnings } = await parseKeys(block?.text ?? '');
  expect(warnings).toEqual([]);
  expect(keys).toMatchObject([
    { id: 'app', fingerprint: fingerprint('sk-0123456789abcdef'), limits: { requestsPerMinute: 60 } },
  ]);
});

const commandNames = new Set([
  ...Object.keys(commands),
  ...keysCommand().commands.map((verb) => `keys ${verb.name()}`),
]);
