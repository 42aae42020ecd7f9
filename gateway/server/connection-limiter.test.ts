import { expect, it } from 'vitest';
import { IdleConnections } from './connection-limiter.ts';

it('evicts the connection idle longest of the group that holds the most', () => {
  const idle = new IdleConnections<string>();
  idle.add('other', 'other 1');
  for (const name of ['flood 1', 'flood 2', 'flood 3']) idle.add('flood', name);
  expect(idle.evictionCandidate).toBe('flood 1');
  idle.delete('flood', 'flood 1');
  expect(idle.evictionCandidate).toBe('flood 2');
});

it('a connection that becomes idle again is the most recent one', () => {
  const idle = new IdleConnections<string>();
  idle.add('a', 'one');
  idle.add('a', 'two');
  idle.delete('a', 'one');
  idle.add('a', 'one');
  expect(idle.evictionCandidate).toBe('two');
});

it('evicts nothing when no connection is idle', () => {
  const idle = new IdleConnections<string>();
  expect(idle.evictionCandidate).toBeUndefined();
  idle.add('a', 'one');
  idle.delete('a', 'one');
  idle.delete('b', 'never seen');
  expect(idle.evictionCandidate).toBeUndefined();
});
