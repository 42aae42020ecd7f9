import { describe, expect, it } from 'vitest';
import { isRunning } from '../../test/harness/start-deployment.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { spawnChild } from './child.ts';

const env = { PATH: process.env.PATH ?? '' };

function shell(script: string) {
  const lines: string[] = [];
  const child = spawnChild({
    command: '/bin/sh',
    args: ['-c', script],
    env,
    onLine: (line) => lines.push(line),
  });
  return { child, lines };
}

describe('a child', () => {
  it('delivers its lines and its exit code', async () => {
    const { child, lines } = shell('echo one; echo two >&2; printf three; exit 7');
    const end = await child.exited;
    expect(end).toMatchObject({ code: 7, signal: null, spawnError: undefined });
    expect([...lines].sort()).toEqual(['one', 'three', 'two']);
    expect(end.lastLines).toEqual(lines);
  });

  it('has no secrets in its lines or arguments', async () => {
    const shown: string[] = [];
    const child = spawnChild({
      ...{ command: '/bin/sh', args: ['-c', 'echo "it is $1"', 'sh', 'sesame'], env },
      redact: (text) => text.replaceAll('sesame', '…'),
      onLine: (line) => shown.push(line),
    });
    const { commandLine, lastLines, ranForMs } = await child.exited;
    expect([shown, lastLines]).toEqual([['it is …'], ['it is …']]);
    expect(commandLine).toEqual(['/bin/sh', '-c', 'echo "it is $1"', 'sh', '…']);
    expect(ranForMs).toBeGreaterThan(0);
  });

  it('keeps only its last lines', async () => {
    const { child } = shell('i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; done');
    const { lastLines } = await child.exited;
    expect([lastLines.length, lastLines[0], lastLines.at(-1)]).toEqual([300, 'line 101', 'line 400']);
  });

  it('exchanges messages over a channel, and does not need it to run', async () => {
    const received: unknown[] = [];
    const script = "process.on('message', (echo) => process.send({ echo })); process.channel.unref();";
    const child = spawnChild({
      command: process.execPath,
      args: ['-e', `${script} process.stdin.resume(); setInterval(() => {}, 60_000)`],
      env,
      onLine: () => {},
      onMessage: (message) => received.push(message),
    });
    child.send({ kind: 'engine-state' });
    await waitFor('its message', () => received.length > 0);
    expect(received).toEqual([{ echo: { kind: 'engine-state' } }]);
    child.kill();
    await child.exited;
    child.send({ kind: 'engine-state' });
  });

  it('reports an exit by a signal in the same format', async () => {
    const { child, lines } = shell('echo up; exec sleep 600');
    await waitFor('the child', () => lines.includes('up'));
    child.signal('SIGTERM');
    expect(await child.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('ends what it has started when it exits', async () => {
    const { child, lines } = shell('sleep 600 & echo $!; exit 0');
    await child.exited;
    const grandchild = Number(lines[0]);
    await waitFor('the grandchild to end', () => !isRunning(grandchild));
    expect(grandchild).toBeGreaterThan(1);
  });

  it('reports a failed start in the same format', async () => {
    const child = spawnChild({
      command: '/no/such/program',
      args: [],
      env,
      onLine: () => {},
    });
    const { code, spawnError, lastLines } = await child.exited;
    expect(spawnError ?? [code, lastLines.join()]).toEqual([
      127,
      expect.stringContaining('/no/such/program'),
    ]);
  });
});
