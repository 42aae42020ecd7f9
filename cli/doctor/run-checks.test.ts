import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../test/harness/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { exitStatus } from './finding.ts';
import { runChecks } from './run-checks.ts';

const secret = 'sk-0123456789abcdef';

/** A machine without problems. */
async function soundMachine(folder: TemporaryFolder): Promise<Record<string, string>> {
  const engine = folder.file('llama-server');
  writeFileSync(engine, '#!/bin/sh\necho "version: 7000 (abcdef)"\n', { mode: 0o755 });
  const smi = folder.file('nvidia-smi-steady');
  symlinkSync(join(import.meta.dirname, '../../test/fakes/fake-nvidia-smi.ts'), smi);
  writeFileSync(folder.file('some.gguf'), 'GGUF');
  return {
    PATH: process.env.PATH ?? '',
    ...{ LLAMA_SERVER_BIN: engine, NVIDIA_SMI: smi, MODEL_PATH: folder.file('some.gguf') },
    ...{ DATA_DIR: folder.path, HOST: '127.0.0.1', API_KEYS: `app:${secret}` },
    ...{ PORT: String(await freePort()), PORT_HEALTH: String(await freePort()) },
  };
}

const noGpu = (folder: TemporaryFolder) => ({ GPU_METRICS: 'off', NVIDIA_SMI: folder.file('none') });

const wordsAbout = (about: string, findings: Awaited<ReturnType<typeof runChecks>>) =>
  findings
    .filter((finding) => finding.about === about)
    .map(({ verdict, message }) => `${verdict}: ${message}`);

describe('corral doctor', () => {
  it('finds no problem on a sound machine, and lists its parts', async () => {
    await using folder = await temporaryFolder();
    const env = await soundMachine(folder);
    const findings = await runChecks(env);
    expect(exitStatus(findings)).toBe(0);
    expect(wordsAbout('llama-server', findings)).toEqual([
      `good: ${env.LLAMA_SERVER_BIN}, build 7000 (abcdef)`,
    ]);
    expect(wordsAbout('GPU 1', findings)).toEqual([
      'good: NVIDIA Fake, driver 580.95.05, 23.0 GiB of 24.0 GiB free',
    ]);
    expect(wordsAbout('model', findings)).toEqual([`good: ${env.MODEL_PATH}, served as "some"`]);
    expect(wordsAbout('ports', findings)).toEqual([`good: ${env.PORT} and ${env.PORT_HEALTH} are free`]);
  });

  it('reports all problems at once, and no secret', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('keys.json'), '{', { mode: 0o644 });
    const findings = await runChecks({
      ...(await soundMachine(folder)),
      ...{ MODEL_PATH: folder.file('gone.gguf'), PARALLEL: 'many', PARALEL: '2', EXTRA_ARGS: '--port 1' },
      ...{ REDIS_URL: 'redis://:hidden-secret@127.0.0.1:9/0', LLAMA_SERVER_BIN: folder.file('none') },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://someone:hidden-secret@127.0.0.1:9', GPU_METRICS: 'off' },
    });
    expect(exitStatus(findings)).toBe(2);
    const failing = findings.filter(({ verdict }) => verdict !== 'good').map(({ about }) => about);
    expect(failing).toEqual([
      ...['settings', 'settings', 'llama-server', 'model', 'model', 'keys', 'Redis', 'traces'],
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/hidden-secret|0123456789abcdef/);
  });

  it('accepts ports that a running llama-corral uses, and a collector that accepts traces', async () => {
    await using folder = await temporaryFolder();
    const requested: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      requested.push(request.url);
      response.end('{"standing":"ready","version":"0.1.0"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    const findings = await runChecks({
      ...(await soundMachine(folder)),
      ...{ PORT_HEALTH: port, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, GPU_METRICS: 'off' },
    });
    server.close();
    expect(wordsAbout('ports', findings)).toEqual([
      expect.stringMatching(/^good: .* are in use: llama-corral 0\.1\.0 is running \(ready\)$/),
    ]);
    expect(wordsAbout('traces', findings)).toEqual([`good: 127.0.0.1:${port} accepts traces`]);
    expect(requested).toEqual(['/status', '/v1/traces']);
    expect(exitStatus(findings)).toBe(0);
  });

  it('reports all problems of several models at once, and no key of a backend', async () => {
    await using folder = await temporaryFolder();
    const backend = createServer((request, response) => {
      const isAccepted = request.headers.authorization === 'Bearer right-secret';
      response.writeHead(isAccepted ? 200 : 401).end('{}');
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const origin = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
    const write = (name: string, text: string) => {
      writeFileSync(folder.file(name), text);
      return folder.file(name);
    };
    const keyFile = (name: string, text: string) => ({ url: origin, keyFile: write(name, text) });
    const path = write('pointer.gguf', 'version https://git-lfs.github.com/spec/v1');
    const models = [
      { id: 'gone', path: folder.file('gone.gguf') },
      { id: 'pointer', path },
      { id: 'cut', path: write('cut.gguf', 'GGUF') },
      { id: 'far', backends: [keyFile('right', 'right-secret\n'), keyFile('wrong', 'wrong-secret\n')] },
      {
        id: 'farther',
        backends: [origin, keyFile('empty', ''), `http://127.0.0.1:${await freePort()}`],
      },
    ];
    const targets = [{ model: 'far' }, { model: 'gone', weight: 3 }];
    write('models.json', JSON.stringify({ version: 1, models, aliases: [{ name: 'latest', targets }] }));
    const { MODEL_PATH: _, API_KEYS: __, ...env } = await soundMachine(folder);
    createKey(folder.file('keys.json'), ['far', 'latest', 'fare']);
    const findings = await runChecks({ ...env, ...noGpu(folder) });
    backend.close();
    expect(exitStatus(findings)).toBe(1);
    expect(wordsAbout('model gone', findings)).toEqual([`bad: ${folder.file('gone.gguf')} does not exist`]);
    expect(wordsAbout('model pointer', findings)).toEqual([
      expect.stringMatching(/^bad: .* Git LFS pointer/),
    ]);
    expect(wordsAbout('model cut', findings)).toEqual([
      expect.stringMatching(/^bad: .*cut\.gguf: is cut off/),
    ]);
    expect(wordsAbout('model far', findings)).toEqual([
      `good: ${origin} responds and accepts the key in ${folder.file('right')}`,
      `bad: ${origin} rejects the key in ${folder.file('wrong')} (401)`,
    ]);
    expect(wordsAbout('model farther', findings)).toEqual([
      `bad: ${origin} requires a key (401)`,
      `bad: the key of ${origin}: ${folder.file('empty')} is empty`,
      expect.stringMatching(/^bad: http:.* does not respond$/),
    ]);
    expect(wordsAbout('alias latest', findings)).toEqual(['good: far 25 %, gone 75 %']);
    expect(wordsAbout('keys', findings).slice(1)).toEqual([
      expect.stringMatching(/^warning: key "app" may use "latest", which is an alias/),
      expect.stringMatching(/^warning: key "app" may use "fare", but there is no such model/),
    ]);
    // Its model files are reported above.
    expect(wordsAbout('settings', findings)).toEqual(['good: all variables are valid']);
    expect(JSON.stringify(findings)).not.toMatch(/(?:right|wrong)-secret/);
  });

  it('checks several models against the budget of the running deployment, and reports those that have failed', async () => {
    await using folder = await temporaryFolder();
    const server = createServer((_, response) => {
      const failed = { id: 'a', status: 'failed', failure: 'its file is damaged' };
      const memory = { budget: 1024 ** 2 };
      response.end(JSON.stringify({ standing: 'ready', version: '0.1.0', models: [failed], memory }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const models = [{ id: 'a', hf: 'user/repo', limits: { memory: '2MiB' } }];
    writeFileSync(folder.file('models.json'), JSON.stringify({ version: 1, models }));
    const { MODEL_PATH: _, ...env } = await soundMachine(folder);
    const PORT_HEALTH = String((server.address() as AddressInfo).port);
    const findings = await runChecks({ ...env, PORT_HEALTH, ...noGpu(folder) });
    writeFileSync(folder.file('models.json'), '{');
    const ofInvalidFile = await runChecks({ ...env, PORT_HEALTH, ...noGpu(folder) });
    server.close();
    // It keeps its models, so that their state matters all the more.
    for (const seen of [findings, ofInvalidFile])
      expect(wordsAbout('running models', seen)).toEqual(['bad: "a" is failed: its file is damaged']);
    expect(wordsAbout('model', ofInvalidFile)).toEqual([expect.stringMatching(/is not valid JSON/)]);
    expect(wordsAbout('model', findings)).toEqual([
      expect.stringMatching(/"a" needs 2\.0 MiB, but MEMORY_BUDGET is 1\.0 MiB/),
    ]);
    expect(wordsAbout('memory budget', findings)).toEqual([
      expect.stringMatching(/^bad: 1\.0 MiB; the largest other one 2\.0 MiB \(a\)/),
    ]);
  });
});

/** A key that may use these models. */
const createKey = (file: string, models: readonly string[]) =>
  writeFileSync(
    file,
    JSON.stringify({ version: 1, keys: [{ id: 'app', fingerprint: `sha256:${'0'.repeat(64)}`, models }] }),
    {
      mode: 0o600,
    },
  );
