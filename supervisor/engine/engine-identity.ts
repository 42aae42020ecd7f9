import { createHash, randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { modelFileParts, statPath } from '../../models/gguf-file.ts';
import type { InstalledEngine } from './installed-engine.ts';
import { type EngineOptions, llamaArguments } from './llama-arguments.ts';

/**
 * Identifies what answers: the program, its options, and the files that these name, by size and time. Two engines with one
 * identity give the same answers; one that starts with another model, adapter, template or option has another identity.
 */
export function identifyEngine(program: InstalledEngine, options: EngineOptions): string {
  // Neither changes an answer.
  const args = llamaArguments({ ...options, keepaliveMs: 0, sleepIdleMs: undefined }, anywhere);
  const files = [program.command, ...program.args, ...args].flatMap(namedFiles);
  // What llama-server downloads may be newer at each start.
  const isKnown = options.model.kind === 'file' && !args.some((argument) => download.test(argument));
  return createHash('sha256')
    .update(JSON.stringify([program.args, args, files.map(describeFile)]))
    .update(isKnown ? '' : randomUUID())
    .digest('hex');
}

const download = /^(?:-hf|--hf-|https?:\/\/)|-default$/;
const anywhere = { origin: 'http://llama-server', socketPath: '' };

/** Options may name several files (`a.gguf,b.gguf`), and give each a number (`a.gguf:0.5`). */
function namedFiles(argument: string): readonly string[] {
  const paths = argument.split(',').flatMap((path) => [path, path.replace(/:[^:/]*$/, '')]);
  return [...new Set([argument, ...paths])].flatMap(modelFileParts).filter(isFile);
}

function isFile(path: string): boolean {
  const found = path === '' ? undefined : statPath(path);
  return found !== undefined && 'size' in found && found.isFile();
}

function describeFile(path: string): readonly unknown[] {
  const found = statPath(path);
  return found !== undefined && 'size' in found ? [realpathSync(path), found.size, found.mtimeMs] : [path];
}
