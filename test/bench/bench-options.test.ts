import { describe, expect, it } from 'vitest';
import { parseBenchOptions } from './bench-options.ts';

describe('parseBenchOptions', () => {
  it('measures everything except the long checks and variants of ours, and saves the results', () => {
    const { loads, checks, contenders, isSaved } = parseBenchOptions([]);
    expect(loads).toContain('streams-512');
    expect(checks).toEqual(['memory', 'unread', 'leaving', 'boot', 'engine']);
    expect(contenders).toContain('Portkey');
    expect(contenders).not.toContain('llama-corral, bare');
    expect(isSaved).toBe(true);
  });

  it('includes the long checks and variants of ours on request', () => {
    expect(parseBenchOptions(['--long']).checks).toContain('plans');
    expect(parseBenchOptions(['--long']).contenders).toContain('llama-corral, bare');
    expect(parseBenchOptions(['--only', 'plans']).checks).toEqual(['plans']);
  });

  it('compares only ours with the reference in a quick run and does not save the results', () => {
    const { loads, checks, contenders, pace, isSaved } = parseBenchOptions(['--quick']);
    expect(loads).toContain('plain-long');
    expect(checks).toEqual([]);
    expect(contenders).toEqual(['direct', 'reference, unix socket', 'llama-corral, unix socket']);
    expect(pace.informationRounds).toBe(0);
    expect(isSaved).toBe(false);
  });

  it('measures what is named and saves the results only with --write', () => {
    const part = ['--only', 'plain-1k,boot', '--contenders', 'nginx', '--contenders', 'llama-corral, bare'];
    expect(parseBenchOptions(part)).toMatchObject({
      loads: ['plain-1k'],
      checks: ['boot'],
      contenders: ['nginx', 'llama-corral, bare'],
      isSaved: false,
    });
    expect(parseBenchOptions([...part, '--write']).isSaved).toBe(true);
  });

  it('lists the valid names', () => {
    expect(() => parseBenchOptions(['--only', 'plain'])).toThrow(/unknown name plain; valid: plain-1k · /);
  });
});
