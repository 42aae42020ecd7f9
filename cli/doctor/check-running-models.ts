import type { ModelReport, SupervisorStatus } from '../../health/supervisor-status.ts';
import type { Registry } from '../../models/registry.ts';
import { crashHint, isCrashClass } from '../../supervisor/engine/crash-class.ts';
import type { Finding } from './finding.ts';

/** What the running deployment says of its models, and where the file differs; without a registry, it is invalid. */
export function checkRunningModels(
  { models }: Pick<SupervisorStatus, 'models'>,
  registry: Registry | undefined,
): Finding[] {
  const about = 'running models';
  const failed = models.filter(({ status }) => status === 'failed');
  const others = models.filter(({ status }) => status !== 'failed');
  const running = models.map(({ id }) => id);
  const listed = registry?.models.map(({ id }) => id) ?? running;
  return [
    ...(others.length > 0 ? [{ about, verdict: 'good', message: countByStatus(others) } as const] : []),
    ...failed.map(
      ({ id, failure }): Finding => ({
        ...{
          about,
          verdict: 'bad',
          message: `"${id}" is failed${failure ? `: ${explain(id, failure)}` : ''}`,
        },
        fix: `correct the cause, then load it again: corral models load ${id}`,
      }),
    ),
    ...difference(
      listed.filter((id) => !running.includes(id)),
      'in the file, but unknown to the running deployment',
    ),
    ...difference(
      running.filter((id) => !listed.includes(id)),
      'served by the running deployment, but no longer in the file',
    ),
  ];
}

/** Crashes are named by their class, other failures say why. */
function explain(model: string, failure: string): string {
  if (failure === 'does-not-fit') return `pinned models leave too little of MEMORY_BUDGET (${failure})`;
  if (!isCrashClass(failure)) return failure;
  return `${crashHint({ who: 'llama-server', crash: failure, model })} (${failure})`;
}

/** `a, b loaded; c unloaded`. */
function countByStatus(models: readonly ModelReport[]): string {
  const byStatus = Map.groupBy(models, ({ status }) => status);
  return [...byStatus].map(([status, some]) => `${some.map(({ id }) => id).join(', ')} ${status}`).join('; ');
}

function difference(ids: readonly string[], what: string): Finding[] {
  if (ids.length === 0) return [];
  const message = `${ids.join(', ')}: ${what}`;
  const fix = 'a change applies within a second; if this stays, the log says why the file was rejected';
  return [{ about: 'running models', verdict: 'warning', message, fix }];
}
