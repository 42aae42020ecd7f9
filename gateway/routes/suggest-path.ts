import { apiRoutes } from '../api/route-table.ts';

/** Each path that a client may mean, by what it ends with. */
const canonical = new Map(
  [
    ...apiRoutes.flatMap(({ paths, upstream }) =>
      [...paths, upstream.replace(/^\/v1/, '')].map((path) => [path, paths[0] ?? path] as const),
    ),
    ['/v1/models', '/v1/models'] as const,
    ['/models', '/v1/models'] as const,
  ].toSorted(([a], [b]) => b.length - a.length),
);

/**
 * What to say to a client that has come to a path which is not there, and ends as one that is: its base URL is wrong, by
 * a `/v1` too many or by what another server wants. Undefined for all other paths.
 */
export function suggestPath(path: string): string | undefined {
  const plain = path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
  const [, meant] = [...canonical].find(([end]) => plain.endsWith(end)) ?? [];
  return meant === undefined || meant === path ? undefined : `Did you mean ${meant}?${reason(plain)}`;
}

function reason(path: string): string {
  if (path.startsWith('/v1/v1/')) return ' This client adds /v1 by itself: leave it out of its base URL.';
  if (path.includes('/deployments/'))
    return ' There are no deployments here: let the base URL end in /v1, and name the model in the body.';
  return '';
}
