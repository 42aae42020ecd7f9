/**
 * What our gateway costs beside nginx and nothing at all: `npm run bench [-- --rounds 3 --seconds 5]` measures them in
 * alternating rounds on this machine, and writes the tables of docs/performance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder } from '../../house-folders.ts';
import { nginx } from '../../peers/peers.ts';
import { peerForTests } from '../peer-for-tests.ts';
import { comparisonTable, type Rounds } from './comparison-tables.ts';
import { type Contender, startContenders } from './contenders.ts';
import { type ComparedLoad, comparedLoads } from './loads.ts';
import { type Measured, measure } from './measure.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '5' } },
});
const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1000;

const program = await peerForTests(nginx);
if (program === undefined) process.exit(1);
await using contenders = await startContenders(program);
const tables: string[] = [];
for (const load of comparedLoads) {
  const table = comparisonTable(load, await inRounds(load, contenders.all));
  console.log(table);
  tables.push(table);
}
writeTables();

/** Each round begins with another contender, so that none always comes after the same one. */
async function inRounds(load: ComparedLoad, all: readonly Contender[]): Promise<Rounds[]> {
  const measured = new Map(all.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round < rounds; round++) {
    const order = all.map((_, place) => all[(place + round) % all.length]);
    for (const contender of order)
      if (contender) measured.get(contender.name)?.push(await measure(contender, load, durationMs));
  }
  return [...measured].map(([contender, its]) => ({ contender, rounds: its }));
}

function writeTables(): void {
  const page = join(projectFolder, 'docs/performance.md');
  const [before = '', after = ''] = readFileSync(page, 'utf8').split(
    /<!-- figures -->[\s\S]*<!-- end of figures -->/,
  );
  const about = `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} × ${cpus()[0]?.model}, ${rounds} rounds of ${values.seconds} s.`;
  const figures = [about, ...tables.map((table) => table.trimEnd())].join('\n\n');
  writeFileSync(page, `${before}<!-- figures -->\n${figures}\n<!-- end of figures -->${after}`);
}
