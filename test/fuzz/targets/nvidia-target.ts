import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { parseLine } from '../../../nvidia-smi-parser/parse-line.ts';
import { fullQuery, type Query, withoutField } from '../../../nvidia-smi-parser/query.ts';
import { cards, faults } from '../../fakes/nvidia-smi-recordings.ts';
import { pure, type Target } from '../target.ts';

const cells = [
  '0',
  '7',
  '100 %',
  '44 MiB',
  '130.44 W',
  '1980 MHz',
  '[N/A]',
  'ERR!',
  '0x4',
  'Enabled',
  'None',
  '1e9',
  '-1',
  '',
];

/** What nvidia-smi prints, line by line. */
export const nvidiaTarget: Target = {
  name: 'nvidia-smi',
  seeds: [...Object.values(cards), ...Object.values(faults)].map(({ lines }) => lines.join('\n')),
  tokens: [
    ...cells,
    ', ',
    'Field "name" is not a valid field to query.',
    'GPU is lost',
    'Unable to determine',
  ],
  grammar: fc
    .array(fc.constantFrom(...cells), { minLength: fullQuery.size - 1, maxLength: fullQuery.size + 1 })
    .map((row) => row.join(', ')),
  open: pure((input) => {
    let query: Query = fullQuery;
    for (const line of input.toString().split('\n')) {
      const read = parseLine(line, query, 1);
      if (!isDeepStrictEqual(parseLine(line, query, 1), read))
        throw new Error('read twice, it is not the same');
      if (read.kind === 'unknown-field') query = withoutField(query, read.name);
      if (read.kind === 'sample') Object.entries(read.sample).forEach(checkValue);
    }
  }),
};

function checkValue([name, value]: [string, unknown]): void {
  if (typeof value === 'number' && !(value >= 0 && value < 1e15))
    throw new Error(`${name} cannot be ${value}`);
}
