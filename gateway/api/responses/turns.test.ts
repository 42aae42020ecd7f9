import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropTurns, findTurns } from './turns.ts';

const message = (role: string, content = 'x') => ({ type: 'message', role, content });
const [system, developer, user, assistant] = ['system', 'developer', 'user', 'assistant'].map((role) =>
  message(role),
);
const call = (call_id: string) => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' });
const output = (call_id: string) => ({ type: 'function_call_output', call_id, output: 'x' });
const reasoning = { type: 'reasoning', summary: [], content: [] };

describe('findTurns', () => {
  it.each([
    ['a list with one turn', [user, assistant], 0, []],
    ['turns', [user, assistant, user, reasoning, assistant, user], 0, [2, 5]],
    ['leading messages', [system, developer, user, assistant, user], 2, [4]],
    ['a system message between turns', [user, assistant, system, user, assistant], 0, [2]],
    ['a call and its output', [user, call('1'), output('1'), assistant, user], 0, [4]],
    ['a call whose output comes in the next turn', [user, call('1'), user, output('1'), user], 0, [4]],
    ['a call that waits for its output', [user, call('1'), user], 0, [2]],
    [
      'messages without type',
      [
        { role: 'user', content: 'x' },
        { role: 'user', content: 'y' },
      ],
      0,
      [1],
    ],
    ['instructions alone', [system, developer], 2, []],
    ['nothing', [], 0, []],
    ['odd items', ['a', null, user, user], 0, [2, 3]],
  ])('of %s', (_, items, leading, starts) => {
    expect(findTurns(items)).toEqual({ items, leading, starts });
  });
});

describe('the rounds of the last turn', () => {
  const round = (id: string) => [reasoning, call(id), output(id)];
  const two = [call('2'), call('3'), output('3'), output('2')];

  it.each([
    ['calls one after the other', [user, ...round('1'), ...round('2'), assistant], 0, 1, [4, 7]],
    ['calls side by side', [user, ...round('1'), ...two, ...round('4')], 0, 1, [4, 8]],
    ['a turn behind others', [system, user, assistant, user, ...round('1'), ...round('2')], 3, 4, [7]],
    ['a message with instructions', [user, system, user, call('1'), output('1'), assistant], 1, 3, [5]],
    [
      'a call that waits',
      [user, call('1'), call('2'), output('2'), call('3'), output('1'), assistant],
      0,
      1,
      [6],
    ],
  ])('%s', (_, items, turn, first, starts) => {
    expect(findTurns(items).rounds).toEqual({ turn, first, starts });
  });

  it.each([
    ['one round', [user, ...round('1')]],
    ['none', [user, assistant]],
    ['an earlier turn', [user, ...round('1'), ...round('2'), user]],
    ['a word of the user between them', [user, call('1'), user, output('1'), ...round('2'), assistant]],
    ['no message', [system]],
  ])('are not dropped: %s', (_, items) => {
    expect(findTurns(items).rounds).toBeUndefined();
  });

  it('are dropped when all other turns are, and the message stays', () => {
    const turns = findTurns([system, user, assistant, user, ...round('1'), ...round('2'), assistant]);
    expect(dropTurns(turns, 1)).toEqual([system, user, ...round('1'), ...round('2'), assistant]);
    expect(dropTurns(turns, 2)).toEqual([system, user, ...round('2'), assistant]);
    expect(dropTurns(turns, 3)).toEqual([system, user, assistant]);
  });
});

describe('dropTurns', () => {
  const ids = fc.constantFrom('1', '2', '3', '4');
  const item = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(user, assistant, reasoning, system, developer) },
    ids.map(call),
    ids.map(output),
  );

  it('keeps the leading messages and whole turns, and parts no call from its output', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), fc.nat(12), (items, dropped) => {
        const turns = findTurns(items);
        const kept = dropTurns(turns, Math.min(dropped, turns.starts.length));
        const { leading } = turns;
        expect(kept.slice(0, leading)).toEqual(items.slice(0, leading));
        const rest = kept.slice(leading);
        expect(rest).toEqual(rest.length === 0 ? [] : items.slice(-rest.length));
        if (kept.length < items.length)
          expect(rest[0]).toMatchObject({ role: expect.stringMatching(/user|system|developer/) });
        const gone = items.slice(leading, items.length - rest.length);
        const callIds = (all: readonly object[]) =>
          all.flatMap((it) => ('call_id' in it ? [it.call_id as string] : []));
        const remaining = new Set(callIds(rest as readonly object[]));
        expect(callIds(gone as readonly object[]).filter((id) => remaining.has(id))).toEqual([]);
      }),
    );
  });

  it('parts no call of the last turn from its output, and keeps its message', () => {
    const oneTurn = fc.array(
      fc.oneof(fc.constantFrom(assistant, reasoning), ids.map(call), ids.map(output)),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(oneTurn, fc.nat(12), (items, dropped) => {
        const all = [system, user, ...items];
        const kept = dropTurns(findTurns(all), dropped);
        const rest = kept.slice(2) as readonly object[];
        expect(kept.slice(0, 2)).toEqual([system, user]);
        expect(rest).toEqual(rest.length === 0 ? [] : items.slice(-rest.length));
        const idsOf = (of: readonly object[]) => of.flatMap((it) => ('call_id' in it ? [it.call_id] : []));
        const remaining = new Set(idsOf(rest));
        expect(
          idsOf((items as readonly object[]).slice(0, items.length - rest.length)).filter((id) =>
            remaining.has(id),
          ),
        ).toEqual([]);
      }),
    );
  });

  it('drops nothing and everything but the last turn', () => {
    const turns = findTurns([system, user, assistant, user, assistant, user]);
    expect(dropTurns(turns, 0)).toBe(turns.items);
    expect(dropTurns(turns, 2)).toEqual([system, user]);
  });
});
