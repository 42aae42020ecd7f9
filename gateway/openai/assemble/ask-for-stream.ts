import { withMembers } from '../more-members.ts';
import type { AnswerShape } from './assembly.ts';

const streamed = '"stream":true';
const withUsage = '"stream":true,"stream_options":{"include_usage":true}';
/** The same JSON object, asking for a stream. */
export function askForStream(shape: AnswerShape, body: Buffer): Buffer {
  const hasOptions = shape === 'chat' || shape === 'completion';
  return withMembers(body, hasOptions ? withUsage : streamed);
}
