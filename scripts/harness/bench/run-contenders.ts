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

/**
 * Each round begins with another contender, so that none always comes after the same one. The first is not counted: code
 * that has just been started is slow.
 */
async function inRounds(load: ComparedLoad, all: readonly Contender[]): Promise<Rounds[]> {
  const measured = new Map(all.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of inTurn(all, round)) {
      const figures = await measure(contender, load, durationMs);
      if (round > 0) measured.get(contender.name)?.push(figures);
    }
  }
  return [...measured].map(([contender, its]) => ({ contender, rounds: its }));
}

function inTurn(all: readonly Contender[], round: number): Contender[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
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
