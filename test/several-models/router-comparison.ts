import { copyFileSync } from 'node:fs';
import { Agent } from 'undici';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { demoModelFile } from '../services/demo-models.ts';
import { startLlamaServer } from '../services/start-llama-server.ts';
import { alternate, alternationFigures } from './alternate.ts';
import { findTestEngine } from './product.ts';
import type { Report } from './report.ts';

/** The clients of `alternate` at llama-server's own router with memory for one model. */
export async function measureRouter(requests: number, onProgress: (line: string) => void): Promise<Report> {
  await using folder = await temporaryFolder();
  for (const name of ['guide', 'tales'] as const)
    copyFileSync(await demoModelFile(name), folder.file(`${name}.gguf`));
  await using router = await startLlamaServer({
    engine: await findTestEngine(),
    modelsDir: folder.path,
    args: ['--models-max', '1'],
  });
  const { address, apiKey = '' } = router.backend;
  const dispatcher = new Agent({
    connect: { socketPath: address.socketPath ?? '' },
    headersTimeout: 600_000,
    bodyTimeout: 600_000,
  });
  const server = { origin: address.origin, secret: apiKey, dispatcher };
  const run = await alternate(server, requests, onProgress).finally(() => dispatcher.destroy());
  const loads = router.output().match(/spawning server instance/g) ?? [];
  return {
    problems: run.problems.map((problem) => `router: ${problem}`),
    figures: [
      ...alternationFigures('router', run, false),
      { name: 'router: swaps', value: loads.length - 1 },
    ],
  };
}
