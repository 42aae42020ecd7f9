import { describe, expect, it } from 'vitest';
import { keyFilePath } from './key-file-path.ts';

const having =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path);
const inData = { AUTH_KEYS_FILE: undefined, dataDir: '/data' };

describe('keyFilePath', () => {
  it('is the configured file, whether it exists or not', () => {
    expect(keyFilePath({ ...inData, AUTH_KEYS_FILE: '/etc/keys' }, having('/data/keys.json'))).toBe(
      '/etc/keys',
    );
  });

  it('is api_keys.txt only if keys.json does not exist', () => {
    expect(keyFilePath(inData, having())).toBe('/data/keys.json');
    expect(keyFilePath(inData, having('/data/api_keys.txt'))).toBe('/data/api_keys.txt');
    expect(keyFilePath(inData, having('/data/api_keys.txt', '/data/keys.json'))).toBe('/data/keys.json');
  });
});
