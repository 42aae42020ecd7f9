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
});
