import { refuseUnsafeGrammar } from './refuse-unsafe-grammar.ts';
import { refuseUnsafeSampling } from './refuse-unsafe-sampling.ts';
import { refuseUnsafeSchemas } from './refuse-unsafe-schemas.ts';
import { refuseUnsafeTexts } from './refuse-unsafe-texts.ts';

/**
 * Refuses what ends or hangs llama-server, or keeps it from all others for seconds: it reads parts of a request by
 * recursion, copies them again and again, and multiplies repetitions out. The bounds are far beyond what clients send. They
 * are those of llama-server 0.7.0 and of builds before it (`npm run fuzz -- --only engine` looks for others).
 */
export function refuseUnsafe(fields: Readonly<Record<string, unknown>>): void {
  refuseUnsafeTexts(fields);
  refuseUnsafeSchemas(fields);
  refuseUnsafeGrammar(fields);
  refuseUnsafeSampling(fields);
}
