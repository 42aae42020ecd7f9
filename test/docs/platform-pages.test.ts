import { describe, expect, it } from 'vitest';
import { variables } from '../../settings/variables.ts';
import { allPages } from './pages.ts';

/** Variables of the platforms, of docker-compose.yml and of the Dockerfiles. */
const foreignNames = [
  ...['RUNPOD_API_KEY', 'RUNPOD_INIT_TIMEOUT', 'VAST_API_KEY', 'VAST_TCP_PORT_8000', 'CONTAINER_API_KEY'],
  ...['WORKER_PORT', 'MODEL_HEALTH_ENDPOINT', 'LAMBDA_API_KEY', 'ENDPOINT_ID', 'ACME_EMAIL'],
  ...['CORRAL_IMAGE', 'CORRAL_MODELS', 'CORRAL_BIND', 'CORRAL_PORT', 'CORRAL_PORT_HEALTH', 'CORRAL_SUBNET'],
  ...['CORRAL_IP_RANGE', 'CORRAL_PROXY'],
  ...['LLAMA_CPP_DIGEST', 'NODE_DIGEST'],
  // Quantizations.
  'Q4_K_M',
  'Q8_0',
];
const isKnown = (name: string) =>
  foreignNames.includes(name) || name in variables || name.replace(/_FILE$/, '') in variables;

const folder = 'docs/platforms/';
const pages = allPages()
  .filter(({ path }) => path.startsWith(folder) && !path.endsWith('kubernetes.md'))
  .map(({ path, text }) => [path.slice(folder.length), text] as const);

it('every platform has a page', () => {
  const names = 'azure-container-apps cloud-run compose fly koyeb lambda modal runpod vast'.split(' ');
  expect(pages.map(([page]) => page)).toEqual(expect.arrayContaining(names.map((name) => `${name}.md`)));
});

describe.each(pages)('%s', (_, text) => {
  it('names only variables that exist', () => {
    const named = text.match(/(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])/g) ?? [];
    expect([...new Set(named)].filter((name) => !isKnown(name))).toEqual([]);
  });

  it('says what has not been tried', () => {
    expect(text).toMatch(/\bnot (?:yet )?(?:been )?(?:tried|run|on)\b|\bhas been\s+tried/i);
  });
});
