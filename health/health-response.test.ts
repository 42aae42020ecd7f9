import { describe, expect, it } from 'vitest';
import type { BackendStatus } from './backend.ts';
import { type HealthOptions, healthResponse } from './health-response.ts';

const statusOf = (path: string, status: BackendStatus, everReady = false, options?: HealthOptions) =>
  healthResponse(path, 'GET', { status, everReady, details: {} }, options).status;

describe('the health server responds', () => {
  it.each([
    ['/ping', { starting: 204, loading: 204, restarting: 204, ready: 200, draining: 503, failed: 503 }],
    ['/readyz', { starting: 503, loading: 503, restarting: 503, ready: 200, draining: 503, failed: 503 }],
    ['/livez', { starting: 200, loading: 200, restarting: 200, ready: 200, draining: 200, failed: 503 }],
    ['/startupz', { starting: 503, loading: 503, restarting: 503, ready: 200, draining: 200, failed: 503 }],
    ['/status', { starting: 200, loading: 200, restarting: 200, ready: 200, draining: 200, failed: 200 }],
    ['/else', { starting: 404, loading: 404, restarting: 404, ready: 404, draining: 404, failed: 404 }],
  ])('to %s according to the status', (path, expected) => {
    for (const [status, code] of Object.entries(expected)) {
      expect([status, statusOf(path, status as BackendStatus)]).toEqual([status, code]);
    }
  });

  it('with 503 to /ping and /readyz while the gateway hangs', () => {
    const snapshot = {
      status: 'restarting',
      everReady: true,
      gatewayUnresponsive: true,
      details: {},
    } as const;
    const paths = ['/ping', '/readyz', '/livez', '/startupz'];
    expect(paths.map((path) => healthResponse(path, 'GET', snapshot).status)).toEqual([503, 503, 200, 200]);
  });

  it('to /startupz with 200 forever once the model has been ready', () => {
    expect(statusOf('/startupz', 'restarting', true)).toBe(200);
    expect(statusOf('/startupz', 'failed', true)).toBe(200);
  });

  it('to HEALTH_CHECK_PATH like to /ping', () => {
    const options = { healthCheckPath: '/health' };
    expect(statusOf('/health', 'loading', false, options)).toBe(204);
    expect(statusOf('/health', 'draining', false, options)).toBe(503);
    expect(statusOf('/ping', 'loading', false, options)).toBe(204);
  });

  it('to every GET with 200 under PING_ALWAYS_OK, while /status keeps its content', () => {
    const options = { pingAlwaysOk: true };
    expect(statusOf('/ping', 'failed', false, options)).toBe(200);
    expect(statusOf('/anything', 'starting', false, options)).toBe(200);
    const status = healthResponse(
      '/status',
      'GET',
      { status: 'failed', everReady: false, details: { restarts: 5 } },
      options,
    );
    expect(status.body).toEqual({ standing: 'failed', restarts: 5 });
  });

  it('to GET and HEAD only', () => {
    const snapshot = { status: 'ready', everReady: true, details: {} } as const;
    expect(healthResponse('/ping', 'HEAD', snapshot).status).toBe(200);
    expect(healthResponse('/ping', 'POST', snapshot)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it('with 204 without a body', () => {
    expect(
      healthResponse('/ping', 'GET', { status: 'loading', everReady: false, details: {} }).body,
    ).toBeUndefined();
  });
});
