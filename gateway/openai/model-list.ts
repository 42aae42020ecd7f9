import type { BackendFacts } from '../../health/facts.ts';
import type { ModelMeta } from '../../health/model-meta.ts';
import type { Standing } from '../../health/standing.ts';

/** What is known of the one model that stands behind all public names. */
export interface ModelFacts {
  readonly meta: ModelMeta | undefined;
  readonly facts: Pick<BackendFacts, 'contextPerSlot' | 'modalities'> | undefined;
  readonly status: ModelStatus;
}

export type ModelStatus = 'unloaded' | 'loading' | 'loaded' | 'sleeping' | 'failed';

export function statusOf(standing: Standing, facts: Pick<BackendFacts, 'sleeping'> | undefined): ModelStatus {
  if (standing === 'failed') return 'failed';
  if (standing !== 'ready' && standing !== 'draining') return 'loading';
  return facts?.sleeping === true ? 'sleeping' : 'loaded';
}

/** When this process started, seconds: a date that does not wander with every call. */
export const startedAt = Math.floor(Date.now() / 1000);

/** OpenAI's four fields, and those by which clients of other servers find a model's context and what it takes. */
export function describeModel(id: string, { meta, facts, status }: ModelFacts) {
  return {
    ...{ id, object: 'model', created: startedAt, owned_by: 'llama-corral' },
    ...(meta && { meta }),
    ...(facts && {
      context_length: facts.contextPerSlot,
      architecture: { input_modalities: inputsOf(facts), output_modalities: ['text'] },
    }),
    status,
  };
}

/** As llama-server lists a model beside OpenAI's list, in Ollama's manner. It has no more to say than this either. */
export function engineEntry(id: string, { facts }: ModelFacts) {
  const { vision = false, audio = false } = facts?.modalities ?? {};
  return {
    ...{ name: id, model: id, modified_at: '', size: '', digest: '', type: 'model' },
    ...{ description: '', tags: [''], parameters: '' },
    capabilities: vision || audio ? ['completion', 'multimodal'] : ['completion'],
    details: {
      ...{ parent_model: '', format: 'gguf', family: '', families: [''] },
      ...{ parameter_size: '', quantization_level: '' },
    },
  };
}

function inputsOf({ modalities }: Pick<BackendFacts, 'modalities'>): readonly string[] {
  const { vision, audio, video = false } = modalities;
  return ['text', ...(vision ? ['image'] : []), ...(audio ? ['audio'] : []), ...(video ? ['video'] : [])];
}
