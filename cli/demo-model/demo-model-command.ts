import { Command, Option } from 'commander';
import { UsageError } from '../run-command.ts';

const notes = `
Each model has a few megabytes and needs no GPU:
  chat                   tells a few short stories, one per topic, always with the same text
  chat --stories tales   tells other stories, so that two models can be told apart
  embeddings             vectors of 256 numbers; texts that share words are near to each other
  rerank                 a document scores higher, from -5 to 5, the more words of the query it contains

Embeddings and rerank read up to 512 tokens of Latin letters and digits, and other words as unknown.

Examples:
  corral demo-model demo.gguf && MODEL_PATH=demo.gguf corral serve
  corral demo-model --kind embeddings e.gguf && MODEL_PATH=e.gguf EXTRA_ARGS=--embeddings corral serve
  corral demo-model --kind rerank r.gguf && MODEL_PATH=r.gguf EXTRA_ARGS=--reranking corral serve`;

interface Options {
  readonly kind: 'chat' | 'embeddings' | 'rerank';
  readonly stories?: 'guide' | 'tales';
}

/** `corral demo-model FILE`: writes a demo model. */
export function demoModelCommand(): Command {
  return new Command('demo-model')
    .description('write a tiny GGUF model with known output, for trying things out and for tests')
    .argument('<file>', 'file to write')
    .addOption(
      new Option('--kind <kind>', 'what it does').choices(['chat', 'embeddings', 'rerank']).default('chat'),
    )
    .addOption(
      new Option('--stories <stories>', 'what a chat model tells, the guide by default').choices([
        'guide',
        'tales',
      ]),
    )
    .addHelpText('after', notes)
    .action(async (file: string, { kind, stories }: Options) => {
      if (kind !== 'chat' && stories) throw new UsageError(`--stories is for --kind chat, not for ${kind}`);
      const { writeDemoModel } = await import('./write-demo-model.ts');
      await writeDemoModel(file, kind === 'chat' ? (stories ?? 'guide') : kind);
      process.stderr.write(`wrote ${file}\n`);
    });
}
