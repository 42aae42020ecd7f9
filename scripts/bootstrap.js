/**
 * The script behind `npm start`, `npm test`, `npm run check` and `npm run corral`: it installs missing dependencies, chooses a Node
 * that runs TypeScript, and runs the task. This file and scripts/bootstrap/ work with Node 18 and newer.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './bootstrap/check.js';
import { installDependencies } from './bootstrap/install.js';
import { bundledNode, chooseNode } from './bootstrap/node.js';
import { endLike, run } from './bootstrap/run.js';
import { runTests } from './bootstrap/test.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [task = '', ...args] = process.argv.slice(2);
if (!['start', 'test', 'check', 'corral'].includes(task))
  fail('usage: node scripts/bootstrap.js start|test|check|corral [argument…]');

const { version, arch } = process;
const choice = chooseNode({ version: version.slice(1), platform: process.platform, arch });
if (choice.problem) fail(choice.problem);
const needed = choice.isNewEnough || !choice.bundled ? [] : [choice.bundled];
await installDependencies({ root, development: task === 'test' || task === 'check', needed });

const node = choice.isNewEnough ? process.execPath : bundledNode(root, choice.bundled);
if (!node)
  fail(
    `${choice.bundled}, which contains a newer Node than ${version}, was not installed: run npm ci --include=optional`,
  );

const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;
const env = { NODE_COMPILE_CACHE: join(root, '.cache/node-compile'), ...process.env, PATH: path };
if (task === 'check') {
  const { failed, ended } = await runChecks({ node, root, env });
  if (ended) endLike(ended);
  process.exit(failed.length === 0 ? 0 : 1);
}
if (task === 'test') process.exit((await runTests({ node, root, env, args })) ? 0 : 1);
await replaceProcess(node, [
  join(root, 'cli/corral.ts'),
  ...(task === 'start' ? ['serve', '--demo'] : []),
  ...args,
]);

/**
 * Replaces this process by the program if Node supports it (the process id stays the same), else waits for it. The program gets
 * the original environment.
 * @param {string} program
 * @param {readonly string[]} programArgs
 */
async function replaceProcess(program, programArgs) {
  const ownEnv = { ...process.env, NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE };
  if (process.execve) process.execve(program, [program, ...programArgs], ownEnv);
  endLike(await run(program, programArgs, { cwd: process.cwd(), env: ownEnv }));
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(2);
}
