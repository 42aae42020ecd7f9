import { expect, it } from 'vitest';
import { findViolations } from './check-layers.ts';

const violationsOf = (imports: Record<string, readonly string[]>) =>
  findViolations(new Map(Object.entries(imports)));

it.each([
  ['a module imports a module of a lower row', 'gateway/app.ts', 'keys/key.ts'],
  ['a folder imports a folder of a lower row', 'gateway/proxy/attempt.ts', 'gateway/scheduler/lease.ts'],
  ['files of one folder import each other', 'gateway/proxy/finish.ts', 'gateway/proxy/attempt.ts'],
  ['an API imports what all APIs share', 'gateway/api/openai/normalize.ts', 'gateway/api/json.ts'],
  ['the root imports an observer', 'gateway/start-gateway.ts', 'gateway/metrics/metrics.ts'],
  ['everything imports the configuration', 'gateway/errors/catalogue.ts', 'gateway/config.ts'],
  ['a test imports everything', 'gateway/errors/catalogue.test.ts', 'test/harness/wait-for.ts'],
])('is allowed: %s', (_, file, target) => {
  expect(violationsOf({ [file]: [target] })).toEqual([]);
});

it.each([
  ['keys/key.ts', 'gateway/app.ts', 'gateway is not below keys'],
  ['gateway/app.ts', 'supervisor/boot.ts', 'supervisor is not below gateway'],
  ['gateway/limits/rate-limits.ts', 'gateway/server/listen.ts', 'in gateway, server is not below limits'],
  ['gateway/limits/rate-limits.ts', 'gateway/upstream/pool.ts', 'in gateway, upstream is not below limits'],
  ['gateway/metrics/metrics.ts', 'gateway/app.ts', 'in gateway, root is not below metrics'],
  ['gateway/routes/models.ts', 'gateway/usage/usage-ledger.ts', 'only the root of gateway imports observers'],
  ['gateway/dashboard/dashboard.ts', 'gateway/gpu/gpus.ts', 'in gateway, gpu is not below dashboard'],
  ['gateway/api/json.ts', 'gateway/api/openai/normalize.ts', 'in gateway/api, openai is not below root'],
  ['gateway/unlisted/a.ts', 'gateway/errors/catalogue.ts', 'in gateway, errors is not below unlisted'],
  ['cli/corral.ts', 'test/harness/wait-for.ts', 'it is a test'],
  ['cli/corral.ts', 'keys/key.test.ts', 'it is a test'],
])('%s may not import %s', (file, target, why) => {
  expect(violationsOf({ [file]: [target] })).toEqual([`${file} may not import ${target}: ${why}`]);
});

it('finds files that import each other in a cycle, in tests too', () => {
  const imports = { 'keys/a.ts': ['keys/b.ts'], 'keys/b.ts': ['keys/c.ts'], 'keys/c.ts': ['keys/b.ts'] };
  expect(violationsOf(imports)).toEqual(['import cycle: keys/b.ts → keys/c.ts → keys/b.ts']);
});
