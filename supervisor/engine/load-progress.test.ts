import { describe, expect, it } from 'vitest';
import { isStateReport, parseLoadProgress } from './load-progress.ts';

const report = (stages: readonly string[], current: string, value: number) =>
  `cmd_child_to_router:state:${JSON.stringify({ state: 'loading', payload: { stages, current, value } })}`;

describe('the progress of a load', () => {
  it('is read from the report of llama-server', () => {
    expect(parseLoadProgress(report(['text_model'], 'text_model', 0.42))).toBe(0.42);
  });

  it('counts each stage alike', () => {
    const stages = ['text_model', 'mmproj'];
    expect(parseLoadProgress(report(stages, 'text_model', 0.5))).toBe(0.25);
    expect(parseLoadProgress(report(stages, 'mmproj', 0.5))).toBe(0.75);
  });

  it('stays between 0 and 1', () => {
    expect(parseLoadProgress(report(['a'], 'a', 7))).toBe(1);
    expect(parseLoadProgress(report(['a'], 'a', -1))).toBe(0);
  });

  it.each([
    'cmd_child_to_router:state:{"state":"ready","payload":{"id":"a"}}',
    'cmd_child_to_router:state:{"state":"loading","payload":{"stages":[],"current":"a","value":1}}',
    'cmd_child_to_router:state:{"state":',
    'cmd_child_to_router:ready',
  ])('is not in %s, which is a report all the same', (line) => {
    expect([isStateReport(line), parseLoadProgress(line)]).toEqual([true, undefined]);
  });

  it('is not in a line of the log', () => {
    const line = '0.00.036.407 I srv    load_model: loading model';
    expect([isStateReport(line), parseLoadProgress(line)]).toEqual([false, undefined]);
  });
});
