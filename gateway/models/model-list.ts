import type { BackendStatus } from '../../health/backend-status.ts';
import type { ModelMeta } from '../../health/model-meta.ts';
import type { BackendProps } from '../../health/props.ts';

/** What is known of the one model that stands behind all public names. */
export interface ModelInfo {
  readonly meta: ModelMeta | undefined;
  readonly props: Pick<BackendProps, 'contextPerSlot' | 'modalities'> | undefined;
  readonly status: ModelStatus;
}

export type ModelStatus = 'unloaded' | 'loading' | 'loaded' | 'sleeping' | 'failed';

export function getModelStatus(
  standing: BackendStatus,
  facts: Pick<BackendProps, 'sleeping'> | undefined,
): ModelStatus {
  if (standing === 'failed') return 'failed';
  if (standing !== 'ready' && standing !== 'draining') return 'loading';
  return facts?.sleeping === true ? 'sleeping' : 'loaded';
}

/** When this process started, seconds: a date that does not wander with every call. */
export const startedAt = Math.floor(Date.now() / 1000);

/** OpenAI's four fields, and those by which clients of other servers find a model's context and what it takes. */
export function describeModel(id: string, { meta, props, status }: ModelInfo) {
  return {
    ...{ id, object: 'model', created: startedAt, owned_by: 'llama-corral' },
    ...(meta && { meta }),
    ...(props && {
      context_length: props.contextPerSlot,
      architecture: { input_modalities: inputsOf(props), output_modalities: ['text'] },
    }),
    status,
  };
}

/** As llama-server lists a model beside OpenAI's list, in Ollama's manner. It has no more to say than this either. */
export function ollamaModelEntry(id: string, { props }: ModelInfo) {
  const { vision = false, audio = false } = props?.modalities ?? {};
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

function inputsOf({ modalities }: Pick<BackendProps, 'modalities'>): readonly string[] {
  const { vision, audio, video = false } = modalities;
  return ['text', ...(vision ? ['image'] : []), ...(audio ? ['audio'] : []), ...(video ? ['video'] : [])];
}
