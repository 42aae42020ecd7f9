import { describe, expect, it } from 'vitest';
import { isMoreCrowded } from './crowding.ts';

const crowded = (text: string, most: number) => isMoreCrowded(Buffer.from(text), most);

describe('isMoreCrowded', () => {
  it.each([
    ['[1,2,3]', 3],
    ['{"a":1,"b":[{}]}', 24],
    ['{}', 1],
  ])('counts what parts and opens, and members tenfold: %s', (text, marks) => {
    expect([crowded(text, marks), crowded(text, marks - 1)]).toEqual([false, true]);
  });

  it.each(['"a,b:c,d"', '"\\",,,\\\\"', '["a,[","b:"]'])('counts none in texts: %s', (text) => {
    expect(crowded(text, 2)).toBe(false);
  });

  it('does not mind what is no JSON', () => {
    expect(crowded('", , , ,', 1)).toBe(false);
    expect(crowded(',,,', 1)).toBe(true);
  });
});
