import { describe, expect, it } from 'vitest';
import { createSupervisorStatusReader, parseSupervisorStatus } from './supervisor-status.ts';

describe('the status of the supervisor', () => {
  it('is parsed from /status', () => {
    const status = {
      standing: 'ready',
      loadTimeMs: 1500,
      restarts: { engine: 2, gateway: 0 },
      crashes: { engine: { killed: 2 }, gateway: {} },
      more: 'that is not shown',
    };
    const { more: _, ...shown } = status;
    expect(parseSupervisorStatus(JSON.stringify(status))).toEqual(shown);
  });

  it('may have missing fields', () => {
    expect(parseSupervisorStatus('{"standing":"starting"}')).toEqual({
      standing: 'starting',
      loadTimeMs: null,
      restarts: {},
      crashes: {},
    });
  });

  it('is undefined if the response is invalid or there is none', async () => {
    for (const body of ['', '[]', 'null', '{}', '{"standing":7}'])
      expect(parseSupervisorStatus(body)).toBeUndefined();
    expect(await createSupervisorStatusReader(undefined)()).toBeUndefined();
    expect(await createSupervisorStatusReader('http://127.0.0.1:1')()).toBeUndefined();
  });
});
