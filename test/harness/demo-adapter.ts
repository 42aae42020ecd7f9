import { writeFileSync } from 'node:fs';
import { ggufBytes, type Metadata, type Tensor } from '../../cli/demo-model/gguf-writer.ts';
import { type Topic, topics } from '../../cli/demo-model/stories.ts';
import { headWidth, topicMark, width } from '../../cli/demo-model/weights.ts';

/**
 * Writes a LoRA adapter of the demo model, of rank 1: asked about one topic, it tells the story of another one. It changes what
 * attention keeps of the prompt, so that a prompt that was read with another adapter gives another story.
 */
export function writeDemoAdapter(
  file: string,
  from: Topic,
  to: Topic,
  architecture = 'llama',
  tensor = 'blk.0.attn_v.weight',
): void {
  const a = new Float32Array(width);
  const b = new Float32Array(headWidth);
  const [before, after] = [topics.indexOf(from), topics.indexOf(to)];
  a[topicMark(before)] = 1;
  b[after] = 1;
  b[before] = -1;
  const metadata: Record<string, Metadata> = {
    'general.architecture': { text: architecture },
    'general.type': { text: 'adapter' },
    'adapter.type': { text: 'lora' },
    'adapter.lora.alpha': { f32: 1 },
  };
  const tensors: Tensor[] = [
    { name: `${tensor}.lora_a`, shape: [width, 1], values: a },
    { name: `${tensor}.lora_b`, shape: [1, headWidth], values: b },
  ];
  writeFileSync(file, ggufBytes(metadata, tensors));
}
