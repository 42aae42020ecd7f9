import { describe, expect, it } from 'vitest';
import { resolveDataDir } from './data-dir.ts';

const having =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path);

describe('resolveDataDir', () => {
  it('takes what DATA_DIR says, even where a volume is mounted', () => {
    expect(resolveDataDir('/srv/corral', having('/runpod-volume'))).toBe('/srv/corral');
  });

  it("prefers the serverless volume, then the pod's, then the image's", () => {
    expect(resolveDataDir(undefined, having('/data', '/workspace', '/runpod-volume'))).toBe('/runpod-volume');
    expect(resolveDataDir(undefined, having('/data', '/workspace'))).toBe('/workspace');
    expect(resolveDataDir(undefined, having('/data'))).toBe('/data');
  });

  it('stays in the working directory where no volume is', () => {
    expect(resolveDataDir(undefined, having())).toBe('./data');
  });
});
