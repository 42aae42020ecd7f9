import type { EngineServices } from '../engines/engine-services.ts';
import { invalidValue, modelLoading } from '../errors/catalogue.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import type { ProxyContext } from './proxy-context.ts';
import { admissionError } from './result-errors.ts';

/** The size of embeddings is unknown until the model is loaded. */
const LOADING_RETRY_MS = 5000;

/**
 * Rejects embeddings of another size than the model's. llama-server would silently return its own size, and few models
 * allow their embeddings to be cut.
 */
export async function checkDimensions(
  dimensions: number,
  { model, engine }: Pick<ProxyContext, 'model' | 'engine'>,
  leaseRequest: LeaseRequest,
): Promise<void> {
  let size = await readEmbeddingSize(engine);
  if (size === undefined && engine.monitor.status !== 'ready') {
    if (model.name === '') throw modelLoading(LOADING_RETRY_MS);
    // To ask for one of several models is what loads it.
    size = await readSizeWhenLoaded({ model, engine }, leaseRequest);
  }
  if (dimensions === size) return;
  const own = size === undefined ? 'the size' : `${size}, the size`;
  throw invalidValue('dimensions', `${own} of this model's embeddings, which cannot be cut; omit the field`);
}

async function readSizeWhenLoaded(
  { model, engine }: Pick<ProxyContext, 'model' | 'engine'>,
  leaseRequest: LeaseRequest,
): Promise<number | undefined> {
  const admission = await engine.countingScheduler.admit(leaseRequest);
  if (admission.outcome === 'moved')
    return readSizeWhenLoaded(
      { model, engine: model.pickEngine(undefined) },
      { ...leaseRequest, requeued: true, since: admission.since },
    );
  if (admission.outcome !== 'granted') throw admissionError(admission, model, engine, leaseRequest.signal);
  using _ = admission.lease;
  return await readEmbeddingSize(engine);
}

const readEmbeddingSize = async ({ modelMeta }: EngineServices) => (await modelMeta.read())?.n_embd;
