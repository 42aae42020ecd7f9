import { validateGrammar } from './grammar.ts';
import { validateNestedJson } from './nested-json.ts';
import { validateSampling } from './sampling.ts';
import { validateSchemas } from './schemas.ts';

/**
 * Refuses what ends or hangs llama-server, or keeps it from all others for seconds: it reads parts of a request by
 * recursion, copies them again and again, and multiplies repetitions out. The bounds are far beyond what clients send. They
 * are those of llama-server 0.7.0 and of builds before it (`npm run fuzz -- --only engine` looks for others).
 */
export function validateRequest(fields: Readonly<Record<string, unknown>>): void {
  validateNestedJson(fields);
  validateSchemas(fields);
  validateGrammar(fields);
  validateSampling(fields);
}
