import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CrashRecord, crashFolder, readCrashes } from '../health/crash-records.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { createCrashStore } from './crash-store.ts';

const recordOf = (second: number): CrashRecord => ({
  at: new Date(Date.UTC(2026, 10, 21, 2, 0, second)).toISOString(),
  who: 'llama-server',
  class: 'killed',
  cure: 'look',
  code: null,
  signal: 'SIGKILL',
  ranForMs: 1000,
  wasReady: true,
  restartInMs: 1000,
  tellingLine: null,
  lastLines: [`line ${second}`],
  command: 'llama-server',
  arguments: ['-m', 'x.gguf'],
  versions: { corral: '1', engine: null },
});

/** A log that only collects its warnings. */
function warnings() {
  const warned: string[] = [];
  return { warned, log: { warn: (text: string) => void warned.push(text) } };
}

const longEnoughMs = 10_000;

describe('the crash store', () => {
  it('keeps the newest twenty records, which no other user can read', async () => {
    await using folder = await temporaryFolder();
    const { warned, log } = warnings();
    const files = createCrashStore(folder.path, log);
    for (let second = 0; second < 25; second++) files.add(recordOf(second));
    await files.flush(longEnoughMs);
    const kept = Array.from({ length: 20 }, (_, place) => recordOf(24 - place));
    expect(await readCrashes(folder.path)).toEqual(kept);
    expect(warned).toEqual([]);
    const [name = ''] = readdirSync(crashFolder(folder.path));
    expect(statSync(`${crashFolder(folder.path)}/${name}`).mode & 0o777).toBe(0o600);
  });

  it('keeps foreign files, and skips incomplete ones', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(crashFolder(folder.path));
    writeFileSync(`${crashFolder(folder.path)}/notes.txt`, 'mine');
    writeFileSync(`${crashFolder(folder.path)}/2026-11-21T02-00-09.000Z-gateway.json`, '{"at":');
    writeFileSync(`${crashFolder(folder.path)}/2026-11-21T02-00-09.000Z-gateway.json.new`, '');
    const files = createCrashStore(folder.path, warnings().log);
    files.add(recordOf(1));
    await files.flush(longEnoughMs);
    expect(await readCrashes(folder.path)).toEqual([recordOf(1)]);
    expect(readdirSync(crashFolder(folder.path)).sort()).toEqual([
      '2026-11-21T02-00-01.000Z-llama-server.json',
      '2026-11-21T02-00-09.000Z-gateway.json',
      'notes.txt',
    ]);
  });

  it('warns once if it cannot write', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(crashFolder(folder.path), 'a file where the folder should be');
    const { warned, log } = warnings();
    const files = createCrashStore(folder.path, log);
    for (let second = 0; second < 3; second++) files.add(recordOf(second));
    await files.flush(longEnoughMs);
    expect(warned).toEqual([
      expect.stringContaining(`cannot write crash records to ${crashFolder(folder.path)}: `),
    ]);
    expect(await readCrashes(folder.path)).toEqual([]);
  });
});
