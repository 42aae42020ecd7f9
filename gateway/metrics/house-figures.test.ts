import { describe, expect, it } from 'vitest';
import { houseFigures, readStatus } from './house-figures.ts';

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
    expect(readStatus(JSON.stringify(status))).toEqual(shown);
  });

  it('may be little', () => {
    expect(readStatus('{"standing":"starting"}')).toEqual({
      standing: 'starting',
      loadTimeMs: null,
      restarts: {},
      crashes: {},
    });
  });

  it('is nothing where something else answers, or nobody', async () => {
    for (const body of ['', '[]', 'null', '{}', '{"standing":7}']) expect(readStatus(body)).toBeUndefined();
    expect(await houseFigures(undefined)()).toBeUndefined();
    expect(await houseFigures('http://127.0.0.1:1')()).toBeUndefined();
  });
});
