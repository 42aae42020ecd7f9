import { describe, expect, it } from 'vitest';
import { chooseBench } from './choose-bench.ts';

describe('chooseBench', () => {
  it('measures everything that is not long, and keeps it', () => {
    const { loads, checks, contenders, isKept } = chooseBench([]);
    expect(loads).toContain('streams-512');
    expect(checks).toEqual(['memory', 'unread', 'leaving', 'boot', 'engine']);
    expect(contenders).toContain('Portkey');
    expect(isKept).toBe(true);
  });

  it('takes the long ones where they are asked for', () => {
    expect(chooseBench(['--long']).checks).toContain('plans');
    expect(chooseBench(['--only', 'plans']).checks).toEqual(['plans']);
  });

  it('leaves the slow ones out of a quick run, and keeps nothing of it', () => {
    const { checks, contenders, isKept } = chooseBench(['--quick']);
    expect(checks).toEqual(['memory', 'unread', 'leaving']);
    expect(contenders).not.toContain('Portkey');
    expect(isKept).toBe(false);
  });

  it('measures what is named, and keeps it only where that is wanted', () => {
    const part = ['--only', 'plain-1k,boot', '--contenders', 'nginx', '--contenders', 'llama-corral, bare'];
    expect(chooseBench(part)).toMatchObject({
      loads: ['plain-1k'],
      checks: ['boot'],
      contenders: ['nginx', 'llama-corral, bare'],
      isKept: false,
    });
    expect(chooseBench([...part, '--write']).isKept).toBe(true);
  });

  it('names what there is', () => {
    expect(() => chooseBench(['--only', 'plain'])).toThrow(/there is no plain; there are: plain-1k · /);
  });
});
