import { Command } from 'commander';

/** `corral demo-model FILE`: a model of known stories, for trying things out and for tests. */
export function demoModelCommand(): Command {
  return new Command('demo-model')
    .description('write a tiny GGUF model with known output, for trying things out and for tests')
    .argument('<file>', 'file to write')
    .action(async (file: string) => {
      const { writeDemoModel } = await import('./write-demo-model.ts');
      await writeDemoModel(file);
      process.stderr.write(`wrote ${file}\n`);
    });
}
