/**
 * `npm run generated-clients`: generates a TypeScript and a Python client from openapi.json with openapi-generator, compiles
 * them, and has one chat with each on a running product. Needs Java 8 or newer, and Python with urllib3, six and dateutil.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { installPinnedPackages } from '../../scripts/pinned-packages.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { startProduct } from '../harness/start-product.ts';
import { type GeneratedClient, generatedClients } from './generated-client.ts';
import { toOpenApi30 } from './to-openapi-30.ts';

const key = 'sk-generated-clients-0123456789abcdef0123456789';
const installed = await installPinnedPackages(import.meta.dirname, 'generated-clients');
const generator = join(
  installed,
  'node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar',
);
const folder = mkdtempSync(join(tmpdir(), 'corral-clients-'));
try {
  await using product = await startProduct(() => ({ API_KEYS: `clients:${key}` }));
  const document = join(folder, 'openapi.json');
  const served = await fetch(`${product.origin}/openapi.json`);
  writeFileSync(document, JSON.stringify(toOpenApi30((await served.json()) as object)));
  for (const client of generatedClients(join(projectFolder, 'node_modules/typescript/bin/tsc')))
    console.log(`${client.generator}: ${await chat(client, document, product.origin)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The first line that the program prints. */
async function chat(
  { generator: name, options, files, commands }: GeneratedClient,
  document: string,
  origin: string,
): Promise<string> {
  const cwd = join(folder, name);
  const java = ['-XX:TieredStopAtLevel=1', '-jar', generator];
  await execa('java', [...java, 'generate', '-i', document, '-g', name, '-o', cwd, ...options]);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
  let printed = '';
  for (const [program, ...args] of commands) {
    const result = await execa(program, args, { cwd, env: { BASE_URL: origin, API_KEY: key } });
    printed = result.stdout;
  }
  if (!printed.startsWith('Hello from llama-corral!')) throw new Error(`${name} printed: ${printed}`);
  return printed.split('\n', 1)[0] ?? '';
}
