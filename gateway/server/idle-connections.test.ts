import { expect, it } from 'vitest';
import { IdleConnections } from './idle-connections.ts';

it('gives up the longest idle one of those who hold the most', () => {
  const idle = new IdleConnections<string>();
  idle.add('guest', 'guest 1');
  for (const name of ['crowd 1', 'crowd 2', 'crowd 3']) idle.add('crowd', name);
  expect(idle.evictionCandidate).toBe('crowd 1');
  idle.delete('crowd', 'crowd 1');
  expect(idle.evictionCandidate).toBe('crowd 2');
});

it('counts one that has been asked as the last again', () => {
  const idle = new IdleConnections<string>();
  idle.add('a', 'one');
  idle.add('a', 'two');
  idle.delete('a', 'one');
  idle.add('a', 'one');
  expect(idle.evictionCandidate).toBe('two');
});

it('gives up none where none is idle', () => {
  const idle = new IdleConnections<string>();
  expect(idle.evictionCandidate).toBeUndefined();
  idle.add('a', 'one');
  idle.delete('a', 'one');
  idle.delete('b', 'never seen');
  expect(idle.evictionCandidate).toBeUndefined();
});
