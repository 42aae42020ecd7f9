import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from '../../scripts/project-folders.ts';
import { freePort } from '../harness/free-port.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { TriedBlock } from './markdown.ts';

/** The product as `npm start` runs it, and a shell in which the documented commands work unchanged. */
export interface DocumentedProduct extends AsyncDisposable {
  /** Its stdout so far, including the welcome message, with the documented ports. */
  printed(): string;
  /** Runs a block and returns its stdout and stderr, interleaved. Rejects if the block fails. */
  run(block: TriedBlock): Promise<string>;
}

export async function startDocumentedProduct(): Promise<DocumentedProduct> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-docs-'));
  const ports = { '8000': await freePort(), '8001': await freePort() };
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(projectFolder, '.cache/node'),
    PATH: `${folderOfCommands(folder)}${delimiter}${process.env.PATH ?? ''}`,
    TMPDIR: folder,
    DATA_DIR: join(folder, 'data'),
    HOST: '127.0.0.1',
    PORT: String(ports['8000']),
    PORT_HEALTH: String(ports['8001']),
    STORE: 'on',
  };
  let stdout = '';
  let stderr = '';
  const child = spawn(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'serve', '--demo'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const product: DocumentedProduct = {
    printed: () => withPorts(stdout, ports, 'documented'),
    async run({ language, text }) {
      const CORRAL_API_KEY = /sk-[\w-]{43}/.exec(stdout)?.[0];
      const words = withPorts(text, ports, 'real').replaceAll('npm run -s corral --', 'corral');
      const [command, args] = interpreterOf(language, words);
      const cwd = language === 'sh' ? folder : projectFolder;
      const options = { cwd, env: { ...env, CORRAL_API_KEY }, stdin: 'ignore', all: true } as const;
      const { all } = await execa(command, args, options);
      return withPorts(all, ports, 'documented');
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await removeFolder(folder);
    },
  };
  await waitFor('the welcome', () => stdout.includes('Ctrl-C'), { within: 60_000, every: 50 }).catch(
    async (error) => {
      await product[Symbol.asyncDispose]();
      throw new Error(`${error.message}; it printed:\n${stdout}${stderr}`, { cause: error });
    },
  );
  return product;
}

/** Creates a folder with the command `corral`, as in the images. */
function folderOfCommands(folder: string): string {
  const commands = join(folder, 'bin');
  mkdirSync(commands);
  const corral = join(commands, 'corral');
  writeFileSync(corral, `#!/bin/sh\nexec '${process.execPath}' '${projectFolder}/cli/corral.ts' "$@"\n`);
  chmodSync(corral, 0o755);
  return commands;
}

/** In a shell, stdout and stderr go into one pipe, which keeps their order. */
function interpreterOf(language: string, text: string): [command: string, args: readonly string[]] {
  if (language === 'sh') return ['sh', ['-eu', '-c', `exec 2>&1\n${text}`]];
  if (language === 'js') return [process.execPath, ['--input-type=module', '--eval', text]];
  throw new Error(`no interpreter for ${language}`);
}

/** The pages show the default ports; the tests use free ones. */
function withPorts(
  text: string,
  ports: Readonly<Record<string, number>>,
  wanted: 'documented' | 'real',
): string {
  return Object.entries(ports).reduce(
    (words, [documented, real]) =>
      wanted === 'real'
        ? words.replaceAll(`127.0.0.1:${documented}`, `127.0.0.1:${real}`)
        : words.replaceAll(`127.0.0.1:${real}`, `127.0.0.1:${documented}`),
    text,
  );
}
