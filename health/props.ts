import type { Backend } from './backend.ts';
import { requestBackend } from './request-backend.ts';

/** What a ready backend reports about itself. */
export interface BackendProps {
  readonly slots: number;
  /** Context tokens that one request may use. */
  readonly contextPerSlot: number;
  /** The name it was given (`--alias`); without one, llama-server reports the path here. */
  readonly modelAlias: string | undefined;
  readonly modelPath: string | undefined;
  readonly modalities: { readonly vision: boolean; readonly audio: boolean; readonly video?: boolean };
  readonly buildInfo: string | undefined;
  /** How it samples where a request does not say. */
  readonly sampling?: SamplingDefaults | undefined;
  /** It has released its memory until the next request (`--sleep-idle-seconds`). */
  readonly sleeping: boolean;
}

/** Under the names of llama-server, which are also OpenAI's; those that it reports. */
export type SamplingDefaults = { readonly [name in (typeof samplingNames)[number]]?: number };

const samplingNames = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty'] as const;

/** router: it serves no model itself, and forwards requests to the llama-servers that it starts (`--models-dir` and similar). */
export type PropsResult = BackendProps | 'router' | 'key-rejected' | 'unreadable';

/** Reads `/props`, which requires the backend's key and does not wake a sleeping model. */
export async function readProps(backend: Backend, timeoutMs: number): Promise<PropsResult> {
  const response = await requestBackend(backend, { path: '/props', timeoutMs });
  if (response.outcome !== 'responded') return 'unreadable';
  if (response.status === 401 || response.status === 403) return 'key-rejected';
  if (response.status !== 200) return 'unreadable';
  try {
    return parseProps(JSON.parse(response.body));
  } catch {
    return 'unreadable';
  }
}

interface RawProps {
  readonly role?: unknown;
  readonly total_slots?: unknown;
  readonly model_alias?: unknown;
  readonly model_path?: unknown;
  readonly build_info?: unknown;
  readonly is_sleeping?: unknown;
  readonly modalities?: { readonly vision?: unknown; readonly audio?: unknown; readonly video?: unknown };
  readonly default_generation_settings?: {
    readonly n_ctx?: unknown;
    readonly params?: Readonly<Record<string, unknown>>;
  };
}

function parseProps(raw: RawProps): PropsResult {
  if (raw.role === 'router') return 'router';
  const slots = raw.total_slots;
  const { n_ctx: context, params } = raw.default_generation_settings ?? {};
  if (typeof slots !== 'number' || typeof context !== 'number') return 'unreadable';
  return {
    slots,
    contextPerSlot: context,
    modelAlias: textOrUndefined(raw.model_alias),
    modelPath: textOrUndefined(raw.model_path),
    modalities: parseModalities(raw.modalities),
    buildInfo: textOrUndefined(raw.build_info),
    sampling: parseSampling(params),
    sleeping: raw.is_sleeping === true,
  };
}

function parseModalities({ vision, audio, video }: NonNullable<RawProps['modalities']> = {}) {
  // Older builds do not support video, and have no such field.
  return { vision: vision === true, audio: audio === true, ...(video === true && { video }) };
}

/** The digits that a number of 32 bits has: 0.8 is reported as 0.800000011920929. */
const FLOAT_DIGITS = 7;

function parseSampling(params: Readonly<Record<string, unknown>> | undefined): SamplingDefaults | undefined {
  if (params === undefined) return undefined;
  const known = samplingNames.flatMap((name) => {
    const value = params[name];
    return typeof value === 'number' ? [[name, Number(value.toPrecision(FLOAT_DIGITS))]] : [];
  });
  return Object.fromEntries(known);
}

const textOrUndefined = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** What llama-server reports about its model in `/v1/models`, with its own field names. */
export interface ModelMeta {
  readonly n_ctx?: number;
  readonly n_ctx_train?: number;
  readonly n_embd?: number;
  readonly n_vocab?: number;
  readonly n_params?: number;
  /** Bytes. */
  readonly size?: number;
}

const metaNames = ['n_ctx', 'n_ctx_train', 'n_embd', 'n_vocab', 'n_params', 'size'] as const;

/** Does not wake a sleeping model. Undefined if the backend does not report it, or is no llama-server. */
export async function readModelMeta(backend: Backend, timeoutMs: number): Promise<ModelMeta | undefined> {
  const response = await requestBackend(backend, { path: '/v1/models', timeoutMs });
  if (response.outcome !== 'responded' || response.status !== 200) return undefined;
  try {
    const { data } = JSON.parse(response.body) as { data?: readonly { meta?: Record<string, unknown> }[] };
    const meta = data?.[0]?.meta;
    return typeof meta === 'object' && meta !== null ? pickNumbers(meta) : undefined;
  } catch {
    return undefined;
  }
}

function pickNumbers(meta: Readonly<Record<string, unknown>>): ModelMeta {
  return Object.fromEntries(
    metaNames.map((name) => [name, meta[name]]).filter(([, value]) => Number.isFinite(value)),
  );
}
