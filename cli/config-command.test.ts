import { expect, it } from 'vitest';
import { runCorral } from '../test/harness/run-corral.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';

it('corral config shows what is set first, then defaults, and those that depend on the machine', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: folder.path, API_KEYS: 'app:sk-0123456789abcdef', PARALLEL: '3', HOST: undefined };
  const { status, stdout } = await runCorral(['config'], env);
  expect(status).toBe(0);
  const [heading, ...rows] = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(heading).toEqual(['VARIABLE', 'VALUE', 'FROM']);
  expect(rows.slice(0, 3).map(([name]) => name)).toEqual(
    expect.arrayContaining(['PARALLEL', 'DATA_DIR', 'API_KEYS']),
  );
  const values = Object.fromEntries(rows.map(([name, ...more]) => [name, more]));
  expect(values.PARALLEL?.[0]).toBe('3');
  expect(values.API_KEYS?.[0]).toBe('********');
  expect(values.AUTH_KEYS_FILE).toEqual([folder.file('keys.json'), 'computed']);
  expect(values.MODELS_DIR).toEqual([folder.file('models'), 'computed']);
  expect(values.HOST?.[1]).toBe('computed');
  expect(values.PORT).toEqual(['8000', 'default']);
  expect(stdout).not.toContain('0123456789abcdef');
  const { stdout: json } = await runCorral(['config', '--json'], env);
  expect(JSON.parse(json)).toContainEqual({ variable: 'PARALLEL', value: '3', from: expect.any(String) });
});

it('corral config reports wrong values', async () => {
  const { status, stderr } = await runCorral(['config'], { PORT: 'many' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('PORT')]);
});
