import { join } from 'node:path';
import { createSecrets } from './secrets.ts';
import { type RunningContender, startContender } from './start-contender.ts';

const main = join(import.meta.dirname, 'reference/reference-gateway.ts');

/** The gateway that does the least (reference/reference-gateway.ts), with as many keys as ours. */
export function startReference(upstream: string): Promise<RunningContender> {
  return startContender(async ({ port, folder }) => {
    const { file } = await createSecrets(folder);
    return {
      command: process.execPath,
      args: [main],
      env: {
        NODE_ENV: 'production',
        PORT: String(port),
        UPSTREAM: upstream,
        KEY_FILE: file,
        LOG_FILE: folder.file('log'),
      },
      probe: '/health',
      contender: { keyFile: file },
    };
  });
}
