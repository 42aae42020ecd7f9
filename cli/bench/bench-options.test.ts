import { describe, expect, it } from 'vitest';
import { counts, durationOption, jsonObject, positiveDuration, rates, tolerances } from './bench-options.ts';

describe('the options of corral bench', () => {
  it('parses lists of numbers', () => {
    expect(counts('1, 4,16')).toEqual([1, 4, 16]);
    expect(rates('10,0.5')).toEqual([10, 0.5]);
    expect(() => counts('1,0')).toThrow('integer ≥ 1');
    expect(() => counts('')).toThrow();
    expect(() => rates('0')).toThrow('above 0');
    expect(() => rates('fast')).toThrow('above 0');
  });

  it('parses durations', () => {
    expect(durationOption('500ms')).toBe(500);
    expect(durationOption('0')).toBe(0);
    expect(() => positiveDuration('0')).toThrow('greater than 0');
    expect(() => durationOption('soon')).toThrow('such as 10s');
  });

  it('parses fields of the body', () => {
    expect(jsonObject('{"temperature":0}')).toEqual({ temperature: 0 });
    for (const wrong of ['[1]', 'null', '{', '"x"']) expect(() => jsonObject(wrong)).toThrow('JSON object');
  });

  it('parses tolerances for all metrics, for a group and for one', () => {
    expect(tolerances('5%')).toEqual({ all: 0.05, byMetric: new Map() });
    expect(tolerances('ttft=20%, tokens=7.5%,ttft.p99=50%')).toEqual({
      all: 0.1,
      byMetric: new Map([
        ['ttft', 0.2],
        ['tokens', 0.075],
        ['ttft.p99', 0.5],
      ]),
    });
    expect(() => tolerances('10')).toThrow('such as 10%');
    expect(() => tolerances('speed=10%')).toThrow(/Unknown metric speed; known: requests, tokens/);
  });
});
