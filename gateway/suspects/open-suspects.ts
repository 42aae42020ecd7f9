import type { BackendWatch } from '../../health/watch.ts';
import type { Log } from '../../log/create-log.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { Suspects } from './suspects.ts';

interface SuspectsParts {
  readonly watch: () => Pick<BackendWatch, 'standing' | 'look'>;
  readonly maxReplays: number;
  readonly log: Log;
  readonly supervisor: Pick<Supervisor, 'isPresent' | 'tellCulprit'>;
}

/** The suspects of one backend. */
export function openSuspects({ watch, maxReplays, log, supervisor }: SuspectsParts): Suspects {
  return new Suspects({
    maxReplays,
    hearsOfKills: () => supervisor.isPresent,
    async isUp() {
      await watch().look();
      return watch().standing === 'ready';
    },
    onCulprit(deaths) {
      log.warn({ deaths }, 'the engine has died of one request, which it is not given again');
      supervisor.tellCulprit(deaths);
    },
  });
}
