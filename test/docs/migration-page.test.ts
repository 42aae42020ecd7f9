import { describe, expect, it } from 'vitest';
import { removedVariables } from '../../settings/removed-variables.ts';
import type { Variable } from '../../settings/variable.ts';
import { type VariableName, variables } from '../../settings/variables.ts';
import { readPage } from './pages.ts';
import { predecessorVariables } from './predecessor-variables.ts';

const { text } = readPage('docs/migration.md');
const chapter = text.slice(text.indexOf('## Variables'), text.indexOf('## Files'));
const rows = new Map(
  [...chapter.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \| (.+) \| (.+) \|$/gm)].map(
    ([, there = '', defaultThere = '', here = '', defaultHere, difference]) =>
      [there, { defaultThere, here: here.replaceAll('`', ''), defaultHere, difference }] as const,
  ),
);

const isOurs = (name: string): name is VariableName => Object.hasOwn(variables, name);

function defaultOf(name: VariableName): string {
  const { computedDefault, default: value, kind }: Variable = variables[name];
  const shown = value === undefined ? '' : kind.format(value);
  return computedDefault ?? (shown === '' ? '–' : `\`${shown}\``);
}

describe('the migration page', () => {
  it('has exactly one row for each variable of the predecessor', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(predecessorVariables).toSorted());
  });

  it.each(Object.entries(predecessorVariables))('has the old and the new default of %s', (name, there) => {
    const row = rows.get(name);
    expect(row?.defaultThere.replaceAll('`', '')).toBe(there);
    const here = row?.here ?? '';
    expect(row?.defaultHere).toBe(isOurs(here) ? defaultOf(here) : '–');
    expect(isOurs(here) || here === '–', `${here} is a variable of ours`).toBe(true);
  });

  it.each(Object.keys(predecessorVariables).filter((name) => !isOurs(name)))(
    'says that %s has no effect, and announces a warning only if there is one',
    (name) => {
      const difference = rows.get(name)?.difference ?? '';
      expect(difference).toMatch(/^(no effect|no variable of ours)/i);
      expect(Object.hasOwn(removedVariables, name)).toBe(difference.includes('and a warning'));
    },
  );

  it('lists no current variable as removed', () => {
    expect(Object.keys(removedVariables).filter(isOurs)).toEqual([]);
  });
});
