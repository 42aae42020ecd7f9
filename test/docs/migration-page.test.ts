import { describe, expect, it } from 'vitest';
import { removedVariables, type Variable, type VariableName, variables } from '../../settings/variables.ts';
import { ancestorVariables } from './ancestor-variables.ts';
import { readPage } from './pages.ts';

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
  it('has a row for each variable of the ancestor, and for nothing else', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(ancestorVariables).toSorted());
  });

  it.each(Object.entries(ancestorVariables))(
    'knows what %s was by default, and what it is',
    (name, there) => {
      const row = rows.get(name);
      expect(row?.defaultThere.replaceAll('`', '')).toBe(there);
      const here = row?.here ?? '';
      expect(row?.defaultHere).toBe(isOurs(here) ? defaultOf(here) : '–');
      expect(isOurs(here) || here === '–', `${here} is a variable of ours`).toBe(true);
    },
  );

  it.each(Object.keys(ancestorVariables).filter((name) => !isOurs(name)))(
    'says that %s does nothing, and a warning does where the page promises one',
    (name) => {
      const difference = rows.get(name)?.difference ?? '';
      expect(difference).toMatch(/^(no effect|no variable of ours)/i);
      expect(Object.hasOwn(removedVariables, name)).toBe(difference.includes('and a warning'));
    },
  );

  it('calls no variable of ours a bygone', () => {
    expect(Object.keys(removedVariables).filter(isOurs)).toEqual([]);
  });
});
