import { AttentionLayer } from './attention-layer.ts';
import { encoderBytes, pooling } from './encoder-file.ts';
import { kindLanes, type Layout, logWeights, patternStart } from './token-rows.ts';

/*
 * The vector of a text is the weighted mean of the patterns of its word pieces: the attention head gives it to every
 * token, much larger than the token itself. So all kinds of pooling give nearly the same vector.
 */

/** The length of its vectors. */
export const embeddingSize = 256;

export const embeddingLayout: Layout = { width: embeddingSize, lanes: 5 };

/** How much larger the mean is than the token to which it is added. */
const amplification = 10_000;

/** Nats by which attention avoids the special tokens, at least. */
const avoidance = 50;

/** The demo embedding model as a GGUF file: the same bytes on every machine. */
export function embeddingModelBytes(): Buffer {
  const { width } = embeddingLayout;
  return encoderBytes({
    name: 'llama-corral demo, embeddings',
    layout: embeddingLayout,
    pooling: pooling.mean,
    norm: Math.sqrt(width - patternStart(embeddingLayout) + 4),
    layers: [meanOfPatterns()],
  });
}

function meanOfPatterns(): AttentionLayer {
  const layer = new AttentionLayer(embeddingLayout);
  layer.alwaysAttend(1, logWeights);
  layer.alwaysAttend(-avoidance, [[kindLanes.special, 1]]);
  layer.writePatterns(amplification);
  return layer;
}
