import { run } from './run.js';

const checks = [
  { name: 'format and lint', args: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'] },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--pretty', 'false'] },
  {
    name: 'types of pages',
    args: ['node_modules/typescript/bin/tsc', '--pretty', 'false', '-p', 'gateway/dashboard/page'],
  },
  { name: 'layers', args: ['scripts/check-layers.ts'] },
];

/**
 * Runs every check, prints the result of each, and the output of the failed ones. `ended` is the check that a signal ended,
 * after which none follows.
 * @typedef {{ failed: string[], ended?: import('./run.js').ProcessResult }} CheckResults
 * @param {{ node: string, root: string, env: NodeJS.ProcessEnv }} context
 * @returns {Promise<CheckResults>}
 */
export async function runChecks({ node, root, env }) {
  /** @type {string[]} */
  const failed = [];
  for (const { name, args } of checks) {
    const started = Date.now();
    const result = await run(node, args, { cwd: root, env, quiet: true });
    if (result.signal || result.wasSignalled) return { failed: [...failed, name], ended: result };
    const isGood = result.code === 0;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name.padEnd(16)} ${seconds} s`);
    if (isGood) continue;
    failed.push(name);
    console.log(result.output);
  }
  return { failed };
}
