import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { variables } from '../../settings/variables.ts';

/** What the platforms set or read, and what docker-compose.yml and the Dockerfiles take. */
const ofOthers = [
  ...['RUNPOD_API_KEY', 'RUNPOD_INIT_TIMEOUT', 'VAST_API_KEY', 'VAST_TCP_PORT_8000', 'CONTAINER_API_KEY'],
  ...['WORKER_PORT', 'MODEL_HEALTH_ENDPOINT', 'LAMBDA_API_KEY', 'ENDPOINT_ID', 'ACME_EMAIL'],
  ...['CORRAL_IMAGE', 'CORRAL_MODELS', 'CORRAL_BIND', 'CORRAL_PORT', 'CORRAL_PORT_HEALTH', 'CORRAL_SUBNET'],
  ...['LLAMA_CPP_DIGEST', 'NODE_DIGEST'],
  // A quantization.
  'Q4_K_M',
];
const isKnown = (name: string) =>
  ofOthers.includes(name) || name in variables || name.replace(/_FILE$/, '') in variables;

const pages = globSync('*.md', { cwd: import.meta.dirname }).filter((page) => page !== 'kubernetes.md');
const textOf = (page: string) => readFileSync(join(import.meta.dirname, page), 'utf8');

it('has a page for every platform', () => {
  const names = [
    'azure-container-apps',
    'cloud-run',
    'compose',
    'fly',
    'koyeb',
    'lambda',
    'modal',
    'runpod',
    'vast',
  ];
  expect(pages).toEqual(expect.arrayContaining(names.map((name) => `${name}.md`)));
});

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  it('names variables that there are', () => {
    const named = text.match(/(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])/g) ?? [];
    expect([...new Set(named)].filter((name) => !isKnown(name))).toEqual([]);
  });

  it('says what was not tried', () => {
    expect(text).toMatch(/\bnot (?:yet )?(?:been )?(?:tried|run|on)\b|\bhas been\s+tried/i);
  });

  it('links to what is there', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => target);
    const missing = targets.filter((target) => globSync(target, { cwd: import.meta.dirname }).length === 0);
    expect(missing).toEqual([]);
  });
});
