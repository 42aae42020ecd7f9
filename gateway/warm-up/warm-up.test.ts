import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import type { GatewayConfig } from '../config.ts';
import { WarmUp } from './warm-up.ts';

it('prompts that no model is for are reported, once for each state of file and models', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('prompts.jsonl');
  const write = (...models: readonly (string | undefined)[]) =>
    writeFileSync(file, models.map((model) => JSON.stringify({ model, messages: [] })).join('\n'));
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const seen = () => lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>);
  const named =
    (...names: readonly (string | undefined)[]) =>
    (name: string | undefined) =>
      names.includes(name);

  write('a', 'modle', undefined);
  using warmUp = new WarmUp({} as GatewayConfig, file, log);
  warmUp.onModels(named('a', 'b'));
  expect(seen()).toMatchObject([
    { place: 'line 2', msg: 'a warm prompt cannot be read: there is no model "modle"' },
    { place: 'line 3', msg: 'a warm prompt cannot be read: it names no model, and there is not exactly one' },
  ]);
  warmUp.onModels(named('a', 'b', undefined));
  expect(seen()).toEqual([]);
  warmUp.onModels(named('b', undefined));
  expect(seen()).toMatchObject([{ place: 'line 1' }]);
  write('b', 'c');
  await waitFor('the changed file', () => lines.length > 0);
  expect(seen()).toMatchObject([{ place: 'line 2', msg: expect.stringContaining('no model "c"') }]);
});
