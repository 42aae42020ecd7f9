import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DAY } from '../../../settings/durations.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz0123`;
const ops = { secret: secretOf('ops'), scopes: ['admin'] } as const;
const guest = { secret: secretOf('guest'), expires: Date.now() + 3 * DAY };

it('keys that need attention get one log line each, at the start, when the file changes and once a day', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  const legacyKeyFile = keyFileText({ ops, guest }).replace(
    /"created": "[^"]*"/,
    '"created": "2020-01-01T00:00:00Z"',
  );
  await using corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: legacyKeyFile,
    env: { KEY_MAX_AGE_DAYS: '90' },
  });
  const warnings = () => corral.logged.filter(({ level }) => level === 40).map(({ msg }) => msg);
  expect(warnings()).toEqual([
    expect.stringMatching(/^key "ops" has a secret that is \d+ days old \(KEY_MAX_AGE_DAYS is 90\)/),
    expect.stringMatching(/^key "guest" expires at \d{4}-/),
  ]);
  const late = { secret: secretOf('late'), expires: Date.now() + DAY };
  writeFileSync(corral.keyFile, keyFileText({ ops, guest, late }));
  await requestGateway(corral.origin, 'POST /reload', ops.secret);
  expect(warnings().slice(2)).toEqual([expect.stringMatching(/^key "late" expires at/)]);
  const { body } = await requestGateway(corral.origin, 'GET /admin/keys', ops.secret);
  expect(body.keys).toMatchObject([
    { id: 'ops', expiresSoon: false },
    { id: 'guest', expiresSoon: true },
    { id: 'late', expiresSoon: true },
  ]);
});
