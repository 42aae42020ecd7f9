import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeWhole } from '../../fs/write-whole.ts';
import { chatModelBytes } from './chat-model.ts';
import { embeddingModelBytes } from './encoder/embedding-model.ts';
import { rerankModelBytes } from './encoder/rerank-model.ts';
import { stories } from './stories.ts';
import { tales } from './tales.ts';

/** The chat models have the name of their stories, the others that of their kind. */
export type DemoModelName = 'guide' | 'tales' | 'embeddings' | 'rerank';

/** A demo model as a GGUF file: the same bytes on every machine. */
export function demoModelBytes(name: DemoModelName = 'guide'): Buffer {
  switch (name) {
    case 'guide':
      return chatModelBytes('llama-corral demo', stories);
    case 'tales':
      return chatModelBytes('llama-corral demo, tales', tales);
    case 'embeddings':
      return embeddingModelBytes();
    case 'rerank':
      return rerankModelBytes();
  }
}

/** Writes a demo model to `file` atomically. */
export async function writeDemoModel(file: string, name?: DemoModelName): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeWhole(file, (target) => writeFile(target, demoModelBytes(name)));
}
