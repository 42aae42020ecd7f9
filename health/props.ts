import type { Backend } from './backend.ts';
import { requestBackend } from './request-backend.ts';

/** What a ready backend says of itself. */
export interface BackendProps {
  readonly slots: number;
  /** Context tokens that one request may use. */
  readonly contextPerSlot: number;
  /** The name it was given (`--alias`); without one, llama-server says the path here. */
  readonly modelAlias: string | undefined;
  readonly modelPath: string | undefined;
  readonly modalities: { readonly vision: boolean; readonly audio: boolean; readonly video?: boolean };
  readonly buildInfo: string | undefined;
  /** It has given its memory back until the next request (`--sleep-idle-seconds`). */
  readonly sleeping: boolean;
}

/** router: it serves no model itself, and hands requests on to llama-servers of its own (`--models-dir` and the like). */
export type PropsResult = BackendProps | 'router' | 'key-refused' | 'unreadable';

/** Reads `/props`, which needs the backend's key and wakes no sleeping model. */
export async function readProps(backend: Backend, timeoutMs: number): Promise<PropsResult> {
  const answer = await requestBackend(backend, { path: '/props', timeoutMs });
  if (answer.outcome !== 'answered') return 'unreadable';
  if (answer.status === 401 || answer.status === 403) return 'key-refused';
  if (answer.status !== 200) return 'unreadable';
  try {
    return factsFrom(JSON.parse(answer.body));
  } catch {
    return 'unreadable';
  }
}

interface Props {
  readonly role?: unknown;
  readonly total_slots?: unknown;
  readonly model_alias?: unknown;
  readonly model_path?: unknown;
  readonly build_info?: unknown;
  readonly is_sleeping?: unknown;
  readonly modalities?: { readonly vision?: unknown; readonly audio?: unknown; readonly video?: unknown };
  readonly default_generation_settings?: { readonly n_ctx?: unknown };
}

function factsFrom(props: Props): PropsResult {
  if (props.role === 'router') return 'router';
  const slots = props.total_slots;
  const context = props.default_generation_settings?.n_ctx;
  if (typeof slots !== 'number' || typeof context !== 'number') return 'unreadable';
  return {
    slots,
    contextPerSlot: context,
    modelAlias: textOf(props.model_alias),
    modelPath: textOf(props.model_path),
    modalities: modalitiesOf(props.modalities),
    buildInfo: textOf(props.build_info),
    sleeping: props.is_sleeping === true,
  };
}

function modalitiesOf({ vision, audio, video }: NonNullable<Props['modalities']> = {}) {
  // Older builds take no films, and do not say so.
  return { vision: vision === true, audio: audio === true, ...(video === true && { video }) };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
