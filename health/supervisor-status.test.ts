import { describe, expect, it } from 'vitest';
import { parseSupervisorStatus, readSupervisorStatus } from './supervisor-status.ts';

describe('the status of the supervisor', () => {
  it('is parsed from /status', () => {
    const status = {
      standing: 'ready',
      version: '1.2.3',
      boot: { loaded: 1500 },
      loadTimeMs: 1500,
      restarts: { engine: 2, gateway: 0 },
      crashes: { engine: { killed: 2 }, gateway: {} },
      models: [{ id: 'a', status: 'loaded', memory: 2048, restarts: 2, crashes: { killed: 2 } }],
      memory: { budget: 4096 },
      other: 'unused',
    };
    const { other: _, memory, ...used } = status;
    const parsed = { ...used, memoryBudget: memory.budget };
    expect(parseSupervisorStatus(JSON.stringify(status))).toEqual(parsed);
  });

  it('may have missing fields', () => {
    expect(parseSupervisorStatus('{"standing":"starting"}')).toEqual({
      standing: 'starting',
      version: undefined,
      boot: {},
      loadTimeMs: null,
      restarts: {},
      crashes: {},
      models: [],
      memoryBudget: undefined,
    });
  });

  it('is undefined if the response is invalid or there is none', async () => {
    for (const body of ['', '[]', 'null', '{}', '{"standing":7}'])
      expect(parseSupervisorStatus(body)).toBeUndefined();
    expect(await readSupervisorStatus('http://127.0.0.1:1', 500)).toBeUndefined();
  });
});
