import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { probe } from '../../../health/probe.ts';
import { classifyCrash, decisiveLine } from '../../../supervisor/engine/crash-class.ts';
import { type ChildExit, spawnChild } from '../../../supervisor/process/child.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
  writeFileSync(folder.file('garbage.gguf'), randomBytes(5000));
  const model = readFileSync(inject('demoModel'));
  writeFileSync(folder.file('half.gguf'), model.subarray(0, model.length / 2));
  writeFileSync(folder.file('torn-head.gguf'), model.subarray(0, 3000));
  mkdirSync(folder.file('free'));
});
afterAll(() => folder[Symbol.asyncDispose]());

let starts = 0;

/** A real llama-server with the demo model unless the arguments name another: the last one of a kind counts. */
function start(args: readonly string[], shell = 'exec "$@"') {
  const engine = inject('engine');
  starts += 1;
  const socket = folder.file(`free/${starts}.sock`);
  const child = spawnChild({
    command: '/bin/sh',
    args: [
      ...['-c', shell, 'sh', engine.command, ...engine.args],
      ...['--host', socket, '-m', inject('demoModel'), '-c', '512', '-t', '1', ...args],
    ],
    env: { PATH: process.env.PATH ?? '' },
    onLine: () => {},
  });
  const backend = { address: { origin: 'http://llama-server', socketPath: socket }, apiKey: undefined };
  return { child, isUp: async () => (await probe(backend)) === 'ready' };
}

const classOf = async (ended: Promise<ChildExit>) => {
  const end = await ended;
  return { class: classifyCrash(end), line: decisiveLine(end) };
};

/** Builds of August 2026 sometimes exit without their last lines, and then cannot be classified: start them again. */
async function classOfClearCrash(args: readonly string[], shell?: string) {
  for (let tries = 1; ; tries++) {
    const result = await classOf(start(args, shell).child.exited);
    if (result.class !== 'unknown' || tries === 5) return result;
  }
}

describe('the crash of a real llama-server that cannot start is classified as', () => {
  // The messages differ between builds: one line decides, and it names the argument that was rejected.
  it.each<[string, string[], string?]>([
    ['bad-arguments', ['--bogus'], '--bogus'],
    ['bad-arguments', ['-fa', 'maybe'], '-fa'],
    ['bad-arguments', ['-c', '99999999999'], '-c'],
    ['bad-arguments', ['--chat-template', '{%'], '{%'],
    ['bad-model', ['-m', 'garbage.gguf']],
    ['bad-model', ['-m', 'half.gguf']],
    ['bad-model', ['-m', 'torn-head.gguf']],
    ['bad-model', ['-md', 'garbage.gguf']],
    ['bad-model', ['--lora', 'garbage.gguf']],
    ['address-taken', ['--host', 'no-such-folder/x.sock']],
    ['download-failed', ['-mu', 'http://127.0.0.1:9/x.gguf', '-m', 'free/x.gguf']],
    ['download-failed', ['-hfd', 'user/repository', '--offline']],
    ['assertion', ['-c', '-5']],
  ])('%s by %j', async (crash, args, named = '') => {
    const placed = args.map((arg) => (/^[\w-]+(\/|\.gguf)/.test(arg) ? folder.file(arg) : arg));
    const result = await classOfClearCrash(placed);
    expect(result.class).toBe(crash);
    expect(result.line).toContain(named);
  });

  it('address-taken if its port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const args = ['--host', '127.0.0.1', '--port', String(port)];
    expect(await classOfClearCrash(args)).toMatchObject({ class: 'address-taken' });
    holder.close();
  });

  it('out-of-memory if memory is limited', async () => {
    const result = await classOfClearCrash(['-c', '2000000'], 'ulimit -v 400000; exec "$@"');
    expect(result).toMatchObject({ class: 'out-of-memory' });
  });

  it('not-startable if it does not exist', async () => {
    const child = spawnChild({
      ...{ command: '/no/such/llama-server', args: [], env: {}, onLine: () => {} },
    });
    expect(await classOf(child.exited)).toMatchObject({ class: 'not-startable' });
  });
});

function catchesSigterm(pid: number | undefined): boolean {
  const [, caught = '0'] = /^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
}

describe('the crash of a real llama-server that serves is classified as', () => {
  it.each<[string, NodeJS.Signals]>([
    ['killed', 'SIGKILL'],
    ['segfault', 'SIGSEGV'],
    ['assertion', 'SIGABRT'],
    ['illegal-instruction', 'SIGILL'],
    ['ended-without-error', 'SIGTERM'],
  ])('%s by %s', async (crash, signal) => {
    const { child, isUp } = start([]);
    await waitFor('llama-server', isUp);
    // A moment later than it is ready.
    await waitFor('it to end by SIGTERM in an orderly way', () => catchesSigterm(child.pid));
    child.signal(signal);
    expect(await classOf(child.exited)).toEqual({ class: crash, line: undefined });
  });
});
