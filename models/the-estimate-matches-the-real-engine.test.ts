import { expect, inject, it } from 'vitest';
import { writeDemoModel } from '../cli/demo-model/write-demo-model.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
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
  const loaded = output.slice(output.lastIndexOf('load_tensors: loading model tensors'));
  const sizes = loaded.matchAll(new RegExp(`${name} buffer size = +([\\d.]+) MiB`, 'g'));
  return [...sizes].reduce((sum, [, mib]) => sum + Number(mib), 0) * MiB;
}

async function compare(options: NeedOptions & { readonly ctx: number; readonly parallel: number }) {
  await using server = await startLlamaServer({
    context: options.ctx,
    slots: options.parallel,
    model: options.model.kind === 'file' ? options.model.path : '',
    args: [...['-v', '-fa', options.flashAttn], ...options.extraArgs],
  });
  const need = estimateNeed(options, 'machine');
  // The output may arrive after the engine has answered its first probe.
  await waitFor('its buffers', () => buffers(server.output(), 'compute') > 0);
  const output = server.output();
  expect(buffers(output, 'KV')).toBe(need?.kvCache);
  const [weights, compute] = [buffers(output, 'model'), buffers(output, 'compute')];
  expect(Math.abs((need?.weights ?? 0) - weights)).toBeLessThan(0.01 * MiB);
  expect(Math.abs((need?.compute ?? 0) - compute)).toBeLessThan(0.1 * compute);
}

it.each<[number, number, Partial<Pick<NeedOptions, 'flashAttn' | 'extraArgs'>>]>([
  [4096, 2, {}],
  [32_768, 4, {}],
  [8192, 4, { flashAttn: 'off' }],
  [4096, 2, { extraArgs: ['--embeddings', '-b', '4096', '-ub', '4096'] }],
])('a chat model: %d tokens in each of %d slots, %j', async (ctx, parallel, more) => {
  const model = { kind: 'file', path: inject('demoModel') } as const;
  await compare({ ...options, ctx, parallel, ...more, model });
});

it.each([
  ['embeddings', '--embeddings'],
  ['rerank', '--reranking'],
] as const)('an encoder: the model for %s', async (name, argument) => {
  await using folder = await temporaryFolder();
  const path = folder.file('encoder.gguf');
  await writeDemoModel(path, name);
  const extraArgs = [argument, '-b', '2048', '-ub', '2048'];
  await compare({ ...options, ctx: 2048, parallel: 2, extraArgs, model: { kind: 'file', path } });
});
