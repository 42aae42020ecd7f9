import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../harness/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const corral = join(import.meta.dirname, '../../../cli/corral.ts');

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly healthPort: number;
}

/** Runs the `corral` command until it exits by itself. */
async function run(args: readonly string[], folder: TemporaryFolder, env: Record<string, string>) {
  const [port, healthPort] = [await freePort(), await freePort()];
  const child: ChildProcess = spawn(process.execPath, [corral, ...args], {
    cwd: folder.path,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../../.cache/node'),
      ...{ DATA_DIR: folder.file('data'), HOST: '127.0.0.1', GPU_METRICS: 'off' },
      ...{ PORT: String(port), PORT_HEALTH: String(healthPort) },
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, [code, signal]] = await Promise.all([
    Promise.all([child.stdout, child.stderr].map((stream) => stream && text(stream))),
    once(child, 'exit'),
  ]);
  return { code, signal, output: output.join('\n'), healthPort } satisfies Ended;
}

/** Makes one function of Node throw if its first argument matches: an error that the code does not expect. */
function broken(module: string, name: string, argument: string): string {
  const source = `import m from 'node:${module}'; import { syncBuiltinESMExports } from 'node:module';
    const own = m.${name};
    m.${name} = function (first, ...rest) {
      if (String(first).includes('${argument}')) throw new Error('out of order');
      return new.target ? new own(first, ...rest) : own.call(this, first, ...rest);
    };
    syncBuiltinESMExports();`;
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

describe.concurrent('a failed start ends the process', () => {
  it.each([
    ['a data folder that is a file', { DATA_DIR: 'FILE' }, /DATA_DIR: .*\/file is not writable \(ENOTDIR\)/],
    ['a data folder below a file', { DATA_DIR: 'FILE/a/b' }, /DATA_DIR: .* is not writable \(ENOTDIR\)/],
    [
      'a data folder below /proc',
      { DATA_DIR: '/proc/a/b', LOG_FILES: 'true' },
      /DATA_DIR: \/proc\/a\/b is not writable/,
    ],
    ['a circular link', { DATA_DIR: 'LOOP/a' }, /DATA_DIR: .* is not writable \(ELOOP\)/],
    ['a key file below /proc', { AUTH_KEYS_FILE: '/proc/a/keys.json' }, /AUTH_KEYS_FILE: cannot create /],
    ['a key file in /sys', { AUTH_KEYS_FILE: '/sys/keys.json' }, /AUTH_KEYS_FILE: cannot create /],
    ['a key file below a file', { AUTH_KEYS_FILE: 'FILE/keys.json' }, /AUTH_KEYS_FILE: cannot create /],
    [
      'a folder as the key file',
      { AUTH_KEYS_FILE: 'FOLDER' },
      /AUTH_KEYS_FILE: .* is a folder; expected a file/,
    ],
  ])('%s is reported, and the exit status is 2', async (_, wrong: Record<string, string>, message) => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('file'), '');
    mkdirSync(folder.file('folder'));
    symlinkSync(folder.file('loop'), folder.file('loop'));
    const places = { FILE: folder.file('file'), FOLDER: folder.file('folder'), LOOP: folder.file('loop') };
    const env = Object.entries(wrong).map(([name, value]) => [
      name,
      value.replace(/^[A-Z]+/, (place) => places[place as keyof typeof places] ?? place),
    ]);
    const { code, output } = await run(['serve', '--demo'], folder, Object.fromEntries(env));
    expect(output).toMatch(message);
    expect([code, output.includes('cannot start (1 problem):')]).toEqual([2, true]);
  });

  it.each([
    ['the folder of the socket', broken('fs', 'mkdtempSync', 'corral-')],
    ['the code behind the health server', broken('net', 'createServer', 'undefined')],
  ])(
    'an unexpected error in %s ends it with status 1, and probes get no response',
    async (_, NODE_OPTIONS) => {
      await using folder = await temporaryFolder();
      const env = { NODE_OPTIONS, AUTH_ENABLED: 'false' };
      const { code, output, healthPort } = await run(['serve', '--demo'], folder, env);
      expect(output).toContain('error: out of order');
      expect(code).toBe(1);
      await expect(fetch(`http://127.0.0.1:${healthPort}/livez`)).rejects.toThrow();
    },
  );

  it('a gateway without a supervisor that fails after it listens ends too', async () => {
    await using folder = await temporaryFolder();
    const env = {
      BACKEND_URL: 'http://127.0.0.1:9',
      NODE_OPTIONS: broken('worker_threads', 'Worker', 'ledger'),
    };
    const { code, output } = await run(['gateway'], folder, env);
    expect(output).toContain('error: out of order');
    expect(code).toBe(1);
  });

  it('a gateway without a supervisor makes the same checks, and reports all problems at once with status 2', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('file'), '');
    mkdirSync(folder.file('keys'));
    const usedPort = await freePort();
    const { createServer } = await import('node:net');
    await using holder = createServer().listen(usedPort, '0.0.0.0');
    await once(holder, 'listening');
    const { code, output } = await run(['gateway'], folder, {
      ...{ AUTH_ENABLED: 'false', HOST: '0.0.0.0', PORT: String(usedPort) },
      ...{ DATA_DIR: folder.file('file'), BACKEND_URL: 'localhost:8080', CTX: 'many' },
    });
    expect(output).toContain('llama-corral cannot start (5 problems):');
    expect(output).toContain('ALLOW_UNAUTHENTICATED=true');
    expect(output).toContain(`PORT: port ${usedPort} on 0.0.0.0 is in use`);
    expect(output).toMatch(/DATA_DIR: .* is not writable \(ENOTDIR\)/);
    expect(output.match(/BACKEND_URL/g)).toHaveLength(1);
    expect(code).toBe(2);
    const keys = { BACKEND_URL: 'http://127.0.0.1:9', AUTH_KEYS_FILE: folder.file('keys') };
    const second = await run(['gateway'], folder, keys);
    expect([second.code, second.output]).toEqual([
      2,
      expect.stringContaining('is a folder; expected a file'),
    ]);
  });
});

describe('the first key', () => {
  it('is shown even if the first start fails, and works after the next', async () => {
    await using folder = await temporaryFolder();
    const crash = folder.file('crash.gguf');
    writeFileSync(crash, 'GGUF');
    const fakeBackend = join(import.meta.dirname, '../../fakes/fake-llama-server.ts');
    const env = {
      ...{ MODEL_PATH: crash, LLAMA_SERVER_BIN: fakeBackend, RESTART_DELAY_MIN: '0' },
      ...{ LOG_FILES: 'true', LOG_FORMAT: 'json' },
    };
    const { code, output } = await run(['serve', '--demo'], folder, env);
    expect(code).toBe(3);
    const [secret = ''] = /sk-[\w-]{43}/.exec(output) ?? [];
    const { readKeyFile } = await import('../../../keys/key-file.ts');
    const { KeyRing } = await import('../../../keys/key-ring.ts');
    const ring = new KeyRing((await readKeyFile(folder.file('data/keys.json'))).keys);
    expect(ring.authenticate(secret, Date.now())).toMatchObject({ outcome: 'accepted' });
    const { readFileSync } = await import('node:fs');
    expect(existsSync(folder.file('data/logs/corral.log'))).toBe(true);
    expect(readFileSync(folder.file('data/logs/corral.log'), 'utf8')).not.toContain(secret);
  });
});

describe('ports chosen by the system', () => {
  it('are shared between all processes: the greeting names a working gateway and a ready health server', async () => {
    await using folder = await temporaryFolder();
    const model = folder.file('ready.gguf');
    writeFileSync(model, 'GGUF');
    const fakeBackend = join(import.meta.dirname, '../../fakes/fake-llama-server.ts');
    const child = spawn(process.execPath, [corral, 'serve', '--demo'], {
      cwd: folder.path,
      env: {
        ...{ PATH: process.env.PATH, NODE_COMPILE_CACHE: join(import.meta.dirname, '../../../.cache/node') },
        ...{
          DATA_DIR: folder.file('data'),
          HOST: '127.0.0.1',
          GPU_METRICS: 'off',
          PORT: '0',
          PORT_HEALTH: '0',
        },
        ...{ MODEL_PATH: model, LLAMA_SERVER_BIN: fakeBackend },
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const named = (pattern: RegExp) => waitFor(String(pattern), () => pattern.exec(printed)?.[1]);
    const health = await named(/health +(http:\/\/127\.0\.0\.1:[1-9]\d*)\/status/);
    const base = await named(/base URL +(http:\/\/127\.0\.0\.1:[1-9]\d*)\/v1/);
    expect((await fetch(`${health}/readyz`)).status).toBe(200);
    expect((await fetch(`${base}/livez`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
