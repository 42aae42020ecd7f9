import { Command } from 'commander';

const notes = `
The model tells a few short stories, one per topic, always with the same text. It is about 5 MB and needs no GPU.

Example:
  corral demo-model demo.gguf && MODEL_PATH=demo.gguf corral serve`;

/** `corral demo-model FILE`: writes the demo model. */
export function demoModelCommand(): Command {
  return new Command('demo-model')
    .description('write a tiny GGUF model with known output, for trying things out and for tests')
    .argument('<file>', 'file to write')
    .addHelpText('after', notes)
    .action(async (file: string) => {
      const { writeDemoModel } = await import('./write-demo-model.ts');
      await writeDemoModel(file);
      process.stderr.write(`wrote ${file}\n`);
    });
}
