import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoModelBytes } from '../../../cli/demo-model/write-demo-model.ts';
import { modelFileProblems } from '../../../models/gguf-file.ts';
import { readGgufHead } from '../../harness/gguf-reader.ts';
import type { Target } from '../target.ts';

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).toString('latin1');
const head = (entries: number) => `GGUF${u32(3)}${u32(0)}${u32(0)}${u32(entries)}${u32(0)}`;

/** A model file: the check before the start, and the reader of everything before the weights. */
export const ggufTarget: Target = {
  name: 'gguf',
  seeds: [
    Buffer.from(
      `${head(1)}${u32(1)}${u32(0)}a${u32(9)}${u32(4)}${u32(2)}${u32(0)}${u32(7)}${u32(8)}`,
      'latin1',
    ),
    demoModelBytes().subarray(0, 3000),
    'version https://git-lfs.github.com/spec/v1\n',
    '',
  ],
  tokens: ['GGUF', u32(9), u32(8), u32(12), u32(2 ** 31), `${u32(0)}${u32(1)}`, u32(0xffffffff), u32(0)],
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'corral-fuzz-'));
    const file = join(folder, 'model.gguf');
    return {
      try(input) {
        writeFileSync(file, input);
        const faults = modelFileProblems(file);
        if (faults.some((fault) => !fault.startsWith(file))) throw new Error('a fault that names no file');
        if (input.subarray(0, 4).equals(Buffer.from('GGUF')) !== (faults.length === 0))
          throw new Error('misjudged');
        readHead(input);
      },
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

function readHead(input: Buffer): void {
  try {
    readGgufHead(input);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
  }
}
