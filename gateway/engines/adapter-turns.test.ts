import { describe, expect, it } from 'vitest';
import { AdapterTurns } from './adapter-turns.ts';

const never = new AbortController().signal;

/** Requests by name; `going` lists those that may run. */
function createTurns() {
  const turns = new AdapterTurns();
  const going: string[] = [];
  const enter = (name: string, adapter: string, signal = never, isBatch = false) => {
    const waiting = turns.enter(adapter, signal, isBatch);
    if (waiting === undefined) going.push(name);
    else void waiting.then(() => going.push(name));
  };
  return { turns, going, enter };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('requests for one adapter', () => {
  it('run together, and those for another one wait for all of them', async () => {
    const { turns, going, enter } = createTurns();
    enter('a1', 'a');
    enter('a2', 'a');
    enter('b1', 'b');
    turns.leave();
    await settled();
    expect(going).toEqual(['a1', 'a2']);
    turns.leave();
    await settled();
    expect(going).toEqual(['a1', 'a2', 'b1']);
  });

  it('do not keep others waiting: who comes later waits behind them', async () => {
    const { turns, going, enter } = createTurns();
    enter('a1', 'a');
    enter('b1', 'b');
    enter('a2', 'a');
    enter('', '');
    enter('b2', 'b');
    expect(going).toEqual(['a1']);
    turns.leave();
    await settled();
    expect(going).toEqual(['a1', 'b1', 'b2']);
    turns.leave();
    turns.leave();
    await settled();
    expect(going).toEqual(['a1', 'b1', 'b2', 'a2']);
    turns.leave();
    await settled();
    expect(going.at(-1)).toBe('');
  });

  it('go before lines of batches', async () => {
    const { turns, going, enter } = createTurns();
    enter('a1', 'a');
    enter('line', 'b', never, true);
    enter('a2', 'a');
    enter('late line', 'a', never, true);
    enter('c1', 'c');
    expect(going).toEqual(['a1', 'a2']);
    turns.leave();
    turns.leave();
    await settled();
    expect(going.at(-1)).toBe('c1');
    turns.leave();
    await settled();
    expect(going.at(-1)).toBe('line');
    turns.leave();
    await settled();
    expect(going.at(-1)).toBe('late line');
  });

  it('go on when their client leaves, to end by that', async () => {
    const { turns, going, enter } = createTurns();
    const client = new AbortController();
    enter('a1', 'a');
    enter('b1', 'b', client.signal);
    enter('a2', 'a');
    client.abort();
    await settled();
    expect(going).toEqual(['a1', 'b1']);
    turns.leave();
    turns.leave();
    await settled();
    expect(going).toEqual(['a1', 'b1', 'a2']);
    turns.leave();
    enter('b2', 'b');
    expect(going.at(-1)).toBe('b2');
  });
});
