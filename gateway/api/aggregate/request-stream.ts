import { appendFields } from '../append-fields.ts';
import type { CompletionShape } from './aggregator.ts';

const streamed = '"stream":true';
const withUsage = '"stream":true,"stream_options":{"include_usage":true}';
/** The same JSON object, asking for a stream. */
export function requestStream(shape: CompletionShape, body: Buffer): Buffer {
  const hasOptions = shape === 'chat' || shape === 'completion';
  return appendFields(body, hasOptions ? withUsage : streamed);
}
