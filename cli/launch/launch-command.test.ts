import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../test/fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../test/fakes/start-fake-backend.ts';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { startTestGateway, type TestGateway } from '../../test/harness/start-gateway.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { launchCommand } from './launch-command.ts';

/** A name that no shell, TOML or JSON must misread. */
const awkward = `it's "a" $HOME\`id\`\\n`;

/** A program that writes down how it was started. */
const fakeAgent = `#!/bin/sh
{ tr '\\0' '\\n' < /proc/$$/cmdline; } > "$SEEN/arguments"
env > "$SEEN/environment"
exit \${STATUS:-0}
`;

let backend: FakeBackend;
let gateway: TestGateway;
let open: TestGateway;
beforeAll(async () => {
  backend = await startFakeBackend(echo);
  gateway = await startTestGateway({ backend: backend.backend, env: { MODEL_ALIAS: awkward } });
  open = await startTestGateway({ backend: backend.backend, env: { AUTH_ENABLED: 'false' } });
});
afterAll(async () => {
  await gateway.stop();
  await open.stop();
  await backend.stop();
});

function launch(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const key = { CORRAL_API_KEY: gateway.secret, OPENAI_API_KEY: undefined };
  return runInProcess(launchCommand(), ['--gateway', gateway.origin, ...args], { ...key, ...env });
}

/** The arguments and the environment of an agent that has been started. */
async function withFakeAgents() {
  const folder = await temporaryFolder();
  for (const name of ['claude', 'codex', 'opencode']) {
    writeFileSync(join(folder.path, name), fakeAgent);
    chmodSync(join(folder.path, name), 0o755);
  }
  const env = { PATH: `${folder.path}:${process.env.PATH}`, SEEN: folder.path };
  return {
    env,
    args: () => readFileSync(join(folder.path, 'arguments'), 'utf8').split('\n').slice(2, -1),
    variables: () =>
      new Map(readFileSync(join(folder.path, 'environment'), 'utf8').split('\n').map(splitVariable)),
    files: () => readdirSync(folder.path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const splitVariable = (line: string) => {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)] as const;
};

const agents = ['claude', 'codex', 'opencode'] as const;
const keyVariables = { claude: 'ANTHROPIC_AUTH_TOKEN', codex: 'CORRAL_API_KEY', opencode: 'CORRAL_API_KEY' };

describe.each(agents)('corral launch %s', (agent) => {
  it('prints commands that start the agent with the key, without containing it', async () => {
    await using fake = await withFakeAgents();
    const { stdout } = await launch([agent]);
    expect(stdout).not.toContain(gateway.secret);
    const env = { ...fake.env, CORRAL_API_KEY: gateway.secret, ANTHROPIC_API_KEY: 'sk-ant-other' };
    execFileSync('sh', ['-c', stdout], { env });
    expectPointed(agent, fake.args(), fake.variables());
  });

  it('starts the agent with its arguments, and passes its exit status on', async () => {
    await using fake = await withFakeAgents();
    const started = await launch([agent, '--', '-p', 'say "hi"', awkward], { ...fake.env, STATUS: '7' });
    expect(started.status).toBe(7);
    expect(fake.args().join('\n')).toContain(['-p', 'say "hi"', awkward].join('\n'));
    expect(fake.args().join(' ')).not.toContain(gateway.secret);
    expectPointed(agent, fake.args(), fake.variables());
    expect(fake.files().toSorted()).toEqual(['arguments', 'claude', 'codex', 'environment', 'opencode']);
  });

  it('prints the key with --with-key only', async () => {
    expect((await launch([agent, '--with-key'])).stdout).toContain(gateway.secret);
    const json = async (...args: string[]) => JSON.parse((await launch([agent, '--json', ...args])).stdout);
    expect(JSON.stringify(await json())).not.toContain(gateway.secret);
    expect((await json()).keyVariable).toBe(keyVariables[agent]);
    expect((await json('--with-key')).env[keyVariables[agent]]).toBe(gateway.secret);
  });

  it('reads the key from a file', async () => {
    await using fake = await withFakeAgents();
    await using folder = await temporaryFolder();
    const file = join(folder.path, "the user's key");
    writeFileSync(file, `${gateway.secret}\n`);
    const { stdout } = await launch([agent, '--key-file', file], { CORRAL_API_KEY: undefined });
    expect(stdout).not.toContain(gateway.secret);
    execFileSync('sh', ['-c', stdout], { env: fake.env });
    expect(fake.variables().get(keyVariables[agent])).toBe(gateway.secret);
  });

  it('needs no key where authentication is off', async () => {
    const env = { CORRAL_API_KEY: undefined };
    const { stdout, status } = await runInProcess(launchCommand(), [agent, '--gateway', open.origin], env);
    expect(status).toBe(0);
    expect(stdout).not.toContain('CORRAL_API_KEY');
  });
});

function expectPointed(
  agent: (typeof agents)[number],
  args: readonly string[],
  variables: ReadonlyMap<string, string>,
): void {
  expect(variables.get(keyVariables[agent])).toBe(gateway.secret);
  if (agent === 'claude') {
    expect(variables.get('ANTHROPIC_BASE_URL')).toBe(gateway.origin);
    expect(variables.get('ANTHROPIC_MODEL')).toBe(awkward);
    expect(variables.has('ANTHROPIC_API_KEY')).toBe(false);
  } else if (agent === 'codex') {
    expect(args).toContain(`model=${JSON.stringify(awkward)}`);
    expect(args).toContain(`model_providers.corral.base_url="${gateway.origin}/v1"`);
    expect(args).toContain('model_providers.corral.wire_api="responses"');
    expect(args).toContain('model_providers.corral.env_key="CORRAL_API_KEY"');
  } else {
    const config = JSON.parse(variables.get('OPENCODE_CONFIG_CONTENT') ?? '');
    expect(config.model).toBe(`corral/${awkward}`);
    expect(config.provider.corral.options).toEqual({
      baseURL: `${gateway.origin}/v1`,
      apiKey: '{env:CORRAL_API_KEY}',
    });
    expect(Object.keys(config.provider.corral.models)).toEqual([awkward]);
  }
}

describe('corral launch', () => {
  it('passes no name of a model on that an agent or a terminal would interpret', async () => {
    const names = ['{file:/etc/passwd}', '{env:HOME}', 'red\u001b[31m', 'fine'];
    const models = { data: names.map((id) => ({ id, kind: 'chat' })) };
    const server = createServer((_, response) => response.end(JSON.stringify(models)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { stdout } = await runInProcess(launchCommand(), ['opencode', '--gateway', url], {});
    server.close();
    expect(stdout).toContain('corral/fine');
    for (const name of names.slice(0, -1)) expect(stdout).not.toContain(name);
  });

  it.each([
    [['claude'], { CORRAL_API_KEY: 'sk-wrong' }, 1, 'does not know this key'],
    [['claude'], { CORRAL_API_KEY: undefined }, 1, 'requires a key: set CORRAL_API_KEY'],
    [['codex', '--model', 'nope'], {}, 2, 'there is no chat model "nope" for this key'],
    [['codex', '--json', '--', 'exec'], {}, 2, 'leave out its arguments'],
    [
      ['opencode', '--run'],
      { PATH: '/nowhere' },
      1,
      'opencode is not on the PATH; install OpenCode: npm install -g',
    ],
    [['aider'], {}, 2, 'Allowed choices are claude, codex, opencode'],
  ] as const)('%j fails with a message', async (args, env, code, message) => {
    const failed = await launch(args, env);
    expect([failed.status, failed.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(failed.stdout).toBe('');
  });
});
