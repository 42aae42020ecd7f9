import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { checkDataDir, resolveDataDir } from './data-dir.ts';

const having =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path);

describe('resolveDataDir', () => {
  it('uses DATA_DIR even if a volume is mounted', () => {
    expect(resolveDataDir('/srv/corral', having('/runpod-volume'))).toBe('/srv/corral');
  });

  it("prefers the serverless volume, then the pod's, then the image's", () => {
    expect(resolveDataDir(undefined, having('/data', '/workspace', '/runpod-volume'))).toBe('/runpod-volume');
    expect(resolveDataDir(undefined, having('/data', '/workspace'))).toBe('/workspace');
    expect(resolveDataDir(undefined, having('/data'))).toBe('/data');
  });

  it('uses the working directory without a volume', () => {
    expect(resolveDataDir(undefined, having())).toBe('./data');
  });
});

describe('checkDataDir', () => {
  const check = (env: Record<string, string>) => checkDataDir(readSettings(env).settings);
  const locked = '/sys';

  it('creates a missing folder, and reports no problem with a writable one', async () => {
    await using folder = await temporaryFolder();
    expect(check({ DATA_DIR: folder.file('a/b') })).toEqual({ problems: [], warnings: [] });
    writeFileSync(folder.file('a/b/file'), '');
  });

  it('rejects one that is not writable, unless it has keys', async () => {
    await using folder = await temporaryFolder();
    const code = expect.stringMatching(/^DATA_DIR: \/sys is not writable \(E[A-Z]+\); /);
    expect(check({ DATA_DIR: locked })).toEqual({ problems: [code], warnings: [] });
    const file = folder.file('keys.json');
    expect(check({ DATA_DIR: locked, AUTH_KEYS_FILE: file }).problems).toEqual([code]);
    writeFileSync(file, '{"version":1,"keys":[]}');
    expect(check({ DATA_DIR: locked, AUTH_KEYS_FILE: file })).toEqual({ problems: [], warnings: [code] });
  });
});
