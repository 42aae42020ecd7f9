import { HOUR } from './durations.ts';
import { choice, durationFrom, size } from './kinds.ts';
import { MiB } from './sizes.ts';
import { required } from './variable.ts';

/** The variables of the response cache. */
export const responseCacheVariables = {
  RESPONSE_CACHE: required(
    'Response cache',
    choice('off', 'memory', 'redis'),
    'off',
    'Answer exact repetitions of a request from a cache: in the memory of the gateway, or in the Redis of `REDIS_URL`.',
  ),
  RESPONSE_CACHE_TTL: required('Response cache', durationFrom(1000), HOUR, 'How long a response is kept.'),
  RESPONSE_CACHE_SIZE: required(
    'Response cache',
    size(MiB, 1024 * 1024 * MiB),
    256 * MiB,
    'Memory for responses, with `RESPONSE_CACHE=memory`. The least recently used ones make room for new ones.',
  ),
};

interface CacheSettings {
  readonly RESPONSE_CACHE: 'off' | 'memory' | 'redis';
  readonly REDIS_URL: string | undefined;
}

/** What is wrong with the variables of the response cache together. `invalid`: variables whose values are reported already. */
export function responseCacheProblems(
  { RESPONSE_CACHE, REDIS_URL }: CacheSettings,
  invalid: readonly string[] = [],
): string[] {
  return RESPONSE_CACHE === 'redis' && REDIS_URL === undefined && !invalid.includes('REDIS_URL')
    ? ['RESPONSE_CACHE: "redis" needs REDIS_URL; set it, or RESPONSE_CACHE=memory']
    : [];
}
