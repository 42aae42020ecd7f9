import { expect, inject, it } from 'vitest';
import { startLlamaServer } from '../test/services/start-llama-server.ts';
import { estimateNeed, type NeedOptions } from './memory-need.ts';

const MiB = 1024 ** 2;
const options = {
  ngl: 'auto',
  flashAttn: 'auto',
  cacheTypeK: undefined,
  cacheTypeV: undefined,
  mmproj: undefined,
  draftModel: undefined,
  extraArgs: [],
} as const;

/** The sum of all buffers of this name that llama-server has reported, without the trial at the start. */
function buffers(output: string, name: string): number {
  const loaded = output.slice(output.lastIndexOf('load_tensors:'));
  const sizes = loaded.matchAll(new RegExp(`${name} buffer size = +([\\d.]+) MiB`, 'g'));
  return [...sizes].reduce((sum, [, mib]) => sum + Number(mib), 0) * MiB;
}

it.each<[number, number, Partial<NeedOptions>]>([
  [4096, 2, {}],
  [32_768, 4, {}],
  [8192, 4, { flashAttn: 'off' }],
])('%d tokens in each of %d slots, %j', async (ctx, parallel, more) => {
  await using server = await startLlamaServer({
    context: ctx,
    slots: parallel,
    args: ['-v', ...(more.flashAttn ? ['-fa', more.flashAttn] : [])],
  });
  const model = { kind: 'file', path: inject('demoModel') } as const;
  const need = estimateNeed({ ...options, ctx, parallel, ...more, model }, 'machine');
  const output = server.output();
  expect(buffers(output, 'KV')).toBe(need?.kvCache);
  const [weights, compute] = [buffers(output, 'model'), buffers(output, 'compute')];
  expect(Math.abs((need?.weights ?? 0) - weights)).toBeLessThan(0.01 * MiB);
  expect(Math.abs((need?.compute ?? 0) - compute)).toBeLessThan(0.1 * compute);
});
