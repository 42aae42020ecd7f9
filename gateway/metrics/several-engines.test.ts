import { expect, it } from 'vitest';
import { joinLabelled } from './several-engines.ts';

const linesOf = (tokens: number, kind = '') =>
  [
    '# HELP llamacpp:tokens_predicted_total Number of tokens.',
    '# TYPE llamacpp:tokens_predicted_total counter',
    `llamacpp:tokens_predicted_total${kind} ${tokens}`,
    '# TYPE llamacpp:requests_processing gauge',
    'llamacpp:requests_processing 1',
    '',
  ].join('\n');

it('shows each metric once, with the series of all engines', () => {
  const joined = joinLabelled([
    { labels: 'model="a"', lines: linesOf(7) },
    { labels: 'model="org/b",replica="1"', lines: linesOf(9, '{kind="x"}') },
  ]);
  expect(joined).toBe(
    [
      '# HELP llamacpp:tokens_predicted_total Number of tokens.',
      '# TYPE llamacpp:tokens_predicted_total counter',
      'llamacpp:tokens_predicted_total{model="a"} 7',
      'llamacpp:tokens_predicted_total{model="org/b",replica="1",kind="x"} 9',
      '# TYPE llamacpp:requests_processing gauge',
      'llamacpp:requests_processing{model="a"} 1',
      'llamacpp:requests_processing{model="org/b",replica="1"} 1',
      '',
    ].join('\n'),
  );
});
