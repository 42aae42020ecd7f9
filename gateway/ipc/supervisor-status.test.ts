import { describe, expect, it } from 'vitest';
import { createSupervisorStatusReader, parseSupervisorStatus } from './supervisor-status.ts';

describe('what the house says', () => {
  it('is read as far as it is shown', () => {
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

  it('may be little', () => {
    expect(parseSupervisorStatus('{"standing":"starting"}')).toEqual({
      standing: 'starting',
      loadTimeMs: null,
      restarts: {},
      crashes: {},
    });
  });

  it('is nothing where something else answers, or nobody', async () => {
    for (const body of ['', '[]', 'null', '{}', '{"standing":7}'])
      expect(parseSupervisorStatus(body)).toBeUndefined();
    expect(await createSupervisorStatusReader(undefined)()).toBeUndefined();
    expect(await createSupervisorStatusReader('http://127.0.0.1:1')()).toBeUndefined();
  });
});
