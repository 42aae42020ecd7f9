import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import type { RegistryPlace } from '../config.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import type { ModelDirectory } from './model-directory.ts';
import { countsIn, type ModelsView, viewModels } from './model-views.ts';
import type { EngineOverview } from './models-overview.ts';

export interface ModelsReport extends ModelsView {
  /** Why the current `models.json` is not in effect; null if it is. */
  readonly problem: string | null;
}

export interface ModelsReportSources {
  readonly supervisor: Pick<SupervisorClient, 'engines'>;
  /** Undefined with one model. */
  readonly registry: RegistryPlace | undefined;
  /** Undefined with one model. */
  readonly directory: ModelDirectory | undefined;
  readonly overview: Pick<EngineOverview, 'scheduler'>;
  readonly getSupervisorStatus: () => Promise<SupervisorStatus | undefined>;
}

/** The models and aliases for operators; undefined without a supervisor. */
export async function reportModels(sources: ModelsReportSources): Promise<ModelsReport | undefined> {
  const { supervisor: client, registry: place, directory, overview, getSupervisorStatus } = sources;
  const [supervisor, file] = await Promise.all([getSupervisorStatus(), place && readRegistry(place)]);
  const state = client.engines;
  if (state === undefined) return undefined;
  const countsOf = (id: string) =>
    directory === undefined ? overview.scheduler.counts : countsIn(directory, id);
  const view = viewModels({ state, registry: file?.registry, directory, countsOf, supervisor });
  return { ...view, problem: file?.problem ?? null };
}

async function readRegistry({ file, modelsDir }: RegistryPlace) {
  try {
    const { readRegistryFile } = await import('../../models/registry-file.ts');
    return { registry: (await readRegistryFile(file, modelsDir)).registry, problem: undefined };
  } catch (error) {
    return { registry: undefined, problem: (error as Error).message };
  }
}
