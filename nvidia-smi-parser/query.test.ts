import { expect, it } from 'vitest';
import { buildArguments, fullQuery, withoutField } from './query.ts';

it('an unknown field is replaced by its older name, then left out', () => {
  const older = withoutField(fullQuery, 'clocks_event_reasons.active');
  expect(older.get('slowdowns')).toBe('clocks_throttle_reasons.active');
  expect([...older.keys()]).toEqual([...fullQuery.keys()]);
  const none = withoutField(older, 'clocks_throttle_reasons.active');
  expect(none.has('slowdowns')).toBe(false);
  expect(none.size).toBe(fullQuery.size - 1);
  expect(withoutField(none, 'never.asked')).toEqual(none);
});

it('the query becomes arguments of nvidia-smi', () => {
  const [what, ...how] = buildArguments(fullQuery, 2000);
  expect(what).toMatch(/^--query-gpu=index,uuid,name,driver_version,utilization\.gpu,/);
  expect(how).toEqual(['--format=csv,noheader,nounits', '--loop-ms=2000']);
});
