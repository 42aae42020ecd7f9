import type { Variable } from '../../settings/variable.ts';
import { variables } from '../../settings/variables.ts';

/** Extreme texts; each variable accepts some and rejects others. */
const numbers = [
  ...[
    '0',
    '0ms',
    '1',
    '1ms',
    '0.4ms',
    '2',
    '8',
    '100ms',
    '256',
    '512',
    '1000',
    '1s',
    '1KiB',
    '65535',
    '100000',
    '1000000',
  ],
  ...[
    '999999999.999999',
    '999999999',
    '1000000000',
    '256MiB',
    '1GiB',
    '2147483647',
    '2147483648',
    '24d',
    '2147483647ms',
  ],
  ...['1024GiB', '1048576GiB', '9007199254740991'],
];

export interface Extremes {
  readonly name: string;
  /** The texts of the smallest and the largest valid value; none if the variable is not a number. */
  readonly smallest: string;
  readonly largest: string;
  readonly zeroFits: boolean;
}

/** The limits of all variables that are numbers. */
export function extremes(): Extremes[] {
  return Object.entries<Variable>(variables).flatMap(([name, { kind }]) => {
    const taken = numbers
      .map((text) => ({ text, value: kind.parse(text) }))
      .filter((it): it is { text: string; value: number } => typeof it.value === 'number')
      .toSorted((a, b) => a.value - b.value);
    const [first, last] = [taken.at(0), taken.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [{ name, smallest: first.text, largest: last.text, zeroFits: kind.parse('0') === 0 }];
  });
}
