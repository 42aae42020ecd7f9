import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../scripts/project-folders.ts';
import { readSettings } from '../settings/read-settings.ts';
import { variables } from '../settings/variables.ts';

const textOf = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
const read = (path: string) => JSON.parse(textOf(path));

/** Variables that the platforms read themselves. */
const theirs = ['RUNPOD_INIT_TIMEOUT'];
/** From RunPod's tables of GPU pools and GPU types. */
const pools = [
  'AMPERE_16',
  'AMPERE_24',
  'AMPERE_48',
  'AMPERE_80',
  'ADA_24',
  'ADA_48_PRO',
  'ADA_80_PRO',
  'HOPPER_141',
];
const gpuTypes = [
  'NVIDIA GeForce RTX 4090',
  'NVIDIA L4',
  'NVIDIA A40',
  'NVIDIA RTX A5000',
  'NVIDIA H100 80GB HBM3',
];
/** The CUDA version of llama.cpp's image, and so the oldest that a driver must support. */
const oldestCuda = 12.8;

interface Input {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly default?: string | number | boolean;
  readonly options?: readonly { readonly label: string; readonly value: string }[];
  readonly min?: number;
  readonly max?: number;
}
interface HubVariable {
  readonly key: string;
  readonly value?: string;
  readonly input?: Input;
}

function expectToBeTaken(env: Readonly<Record<string, unknown>>): void {
  const ours = Object.entries(env).filter(([name]) => !theirs.includes(name));
  for (const [name] of ours) expect(variables).toHaveProperty(name);
  const { problems, warnings } = readSettings(
    Object.fromEntries(ours.map(([name, value]) => [name, `${value}`])),
  );
  expect([problems, warnings]).toEqual([[], []]);
}

const pairs = (list: readonly { readonly key: string; readonly value: string }[]) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value]));

describe("RunPod's Hub configuration", () => {
  const hub = read('.runpod/hub.json');
  const tests = read('.runpod/tests.json');
  const inputs = (hub.config.env as HubVariable[]).filter((variable) => variable.input);

  it('has the fields that the publishing guide lists', () => {
    expect([hub.type, hub.category]).toEqual(['serverless', 'language']);
    for (const words of [hub.title, hub.description]) expect(words).toMatch(/\w/);
    const { runsOn, containerDiskInGb, gpuCount, gpuIds } = hub.config;
    expect([runsOn, gpuCount, Number.isInteger(containerDiskInGb)]).toEqual(['GPU', 1, true]);
    for (const pool of gpuIds.split(',')) expect(pools).toContain(pool);
    expect(gpuTypes).toContain(tests.config.gpuTypeId);
    for (const version of [...hub.config.allowedCudaVersions, ...tests.config.allowedCudaVersions])
      expect(Number(version)).toBeGreaterThanOrEqual(oldestCuda);
  });

  it('comes with the files that the Hub requires', () => {
    expect(textOf('.runpod/handler.py')).toContain('"corral", "serve"');
    expect(textOf('.runpod/Dockerfile'), 'cp Dockerfile.cuda .runpod/Dockerfile').toBe(
      textOf('Dockerfile.cuda'),
    );
  });

  it('offers only variables that exist, with valid defaults', () => {
    const fixed = (hub.config.env as HubVariable[]).filter(({ value }) => value !== undefined);
    expectToBeTaken(Object.fromEntries(fixed.map(({ key, value }) => [key, value])));
    for (const { key, input } of inputs) {
      expect(input?.description, key).toMatch(/\.$/);
      expect(['string', 'number', 'boolean', 'huggingface'], key).toContain(input?.type);
      const choices = [
        input?.default,
        input?.min,
        input?.max,
        ...(input?.options ?? []).map(({ value }) => value),
      ];
      for (const choice of choices.filter((one) => one !== undefined)) expectToBeTaken({ [key]: choice });
      expect(variables, key).toHaveProperty(key);
    }
  });

  it('has presets that set only offered variables', () => {
    for (const { name, defaults } of hub.config.presets) {
      expect(
        inputs.map(({ key }) => key),
        name,
      ).toEqual(expect.arrayContaining(Object.keys(defaults)));
      expectToBeTaken(defaults);
    }
  });

  it('tests with jobs that the worker accepts', () => {
    expectToBeTaken(pairs(tests.config.env));
    for (const { name, input, timeout } of tests.tests) {
      expect(name).toMatch(/^\w+$/);
      expect(input.openai_route).toMatch(/^\/v1\//);
      expect(Number.isInteger(timeout)).toBe(true);
    }
  });
});

describe("RunPod's template for load-balancing endpoints", () => {
  const template = read('docker/runpod/template.json');

  it('has only fields of REST API v2, which rejects all others', () => {
    const known = [
      'name',
      'image',
      'args',
      'disk',
      'ports',
      'env',
      'registry',
      'serverless',
      'public',
      'category',
    ];
    const further = ['startSsh', 'startJupyter', 'allowedCudaVersions', 'mounts'];
    expect(Object.keys(template).filter((field) => ![...known, ...further].includes(field))).toEqual([]);
    expect([template.serverless, template.startJupyter, template.image]).toEqual([
      true,
      false,
      expect.stringMatching(/:cuda$/),
    ]);
  });

  it('exposes the configured ports and takes the keys from a secret', () => {
    const { env, ports } = template;
    expectToBeTaken(env);
    expect(ports).toEqual([`${env.PORT}/http`, `${env.PORT_HEALTH}/http`]);
    expect(env.API_KEYS).toMatch(/^\{\{ RUNPOD_SECRET_\w+ \}\}$/);
  });
});

describe.each(['template.json', 'template-ssh.json'])("Vast's %s", (name) => {
  const template = read(`docker/vast/${name}`);
  const words: string[] = template.env.split(' ');
  const given = (flag: string) => words.filter((_, index) => words[index - 1] === flag);
  const env = Object.fromEntries(given('-e').map((pair) => pair.split(/=(.*)/s).slice(0, 2)));

  it('publishes the configured ports, and not 8080', () => {
    expectToBeTaken(env);
    expect(words.filter((_, index) => index % 2 === 0).every((flag) => flag === '-e' || flag === '-p')).toBe(
      true,
    );
    expect(given('-p')).toEqual([env.PORT, env.PORT_HEALTH].map((port) => `${port}:${port}`));
    // Jupyter uses 8080. llama-server listens on a socket, not on a port.
    expect([env.PORT, env.PORT_HEALTH]).not.toContain('8080');
    expect(env.PORT_BACKEND).toBeUndefined();
    expect(template.extra_filters.cuda_max_good.gte).toBe(oldestCuda);
  });

  it('starts llama-corral itself if the platform replaces the entrypoint', () => {
    const starts = {
      args: ['serve', ''],
      ssh: [undefined, expect.stringContaining('tini -s -- corral serve')],
    };
    expect([template.args_str, template.onstart]).toEqual(starts[template.runtype as keyof typeof starts]);
  });
});
