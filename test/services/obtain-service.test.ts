import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { PackageUnavailable } from '../../scripts/debian/package-unavailable.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { obtainService } from './obtain-service.ts';
import { redisServer } from './service-catalogue.ts';
import { requireTestService } from './test-service.ts';

const missing = { ...redisServer, name: 'program-that-nobody-has' };

describe('obtainService', () => {
  it('returns the program of this machine', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file(missing.name), '#!/bin/sh\n');
    await chmod(folder.file(missing.name), 0o755);
    const found = await obtainService(missing, {
      cache: folder.file('cache'),
      searchPath: `/x:${folder.path}`,
    });
    expect(found).toEqual({ command: folder.file(missing.name), args: [] });
  });

  it('throws the reason if there is none', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('etc'));
    const environment = { cache: folder.file('cache'), searchPath: '', etc: folder.file('etc') };
    await expect(obtainService(missing, environment)).rejects.toThrow(PackageUnavailable);
  });
});

describe('requireTestService', () => {
  it('fails with a hint if a program is missing', async () => {
    await using folder = await temporaryFolder();
    const failure = requireTestService(missing, {}, folder.path);
    await expect(failure).rejects.toThrow(/program-that-nobody-has.*ALLOW_MISSING_PEERS=true/);
  });

  it('returns undefined and logs it if missing programs are allowed', async () => {
    await using folder = await temporaryFolder();
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const allowed = { ALLOW_MISSING_PEERS: 'true' };
    expect(await requireTestService(missing, allowed, folder.path)).toBeUndefined();
    expect(logged.mock.calls.join()).toContain('NOT TESTED: program-that-nobody-has');
    logged.mockRestore();
  });
});
