import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { Log } from '../../log/create-log.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import { Quarantine } from './quarantine.ts';

interface SuspectsParts {
  readonly watch: () => Pick<BackendMonitor, 'status' | 'probe'>;
  readonly maxReplays: number;
  readonly log: Log;
  readonly supervisor: Pick<SupervisorClient, 'isPresent' | 'reportCulprit'>;
}

/** The suspects of one backend. */
export function createQuarantine({ watch, maxReplays, log, supervisor }: SuspectsParts): Quarantine {
  return new Quarantine({
    maxReplays,
    reportsKills: () => supervisor.isPresent,
    async isBackendUp() {
      await watch().probe();
      return watch().status === 'ready';
    },
    onBlocked(deaths) {
      log.warn({ deaths }, 'the engine has died of one request, which it is not given again');
      supervisor.reportCulprit(deaths);
    },
  });
}
