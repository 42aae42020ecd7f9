import { Command } from 'commander';

/** `corral demo-model FILE`: a model of known stories, for trying things out and for tests. */
export function demoModelCommand(): Command {
  return new Command('demo-model')
    .description('write a small GGUF model whose answers are known, for trials and tests')
    .argument('<file>', 'where to write it')
    .action(async (file: string) => {
      const { writeDemoModel } = await import('./write-demo-model.ts');
      await writeDemoModel(file);
      process.stderr.write(`wrote ${file}\n`);
    });
}
