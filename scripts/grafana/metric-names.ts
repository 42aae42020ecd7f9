import { catalogue } from '../../gateway/metrics/catalogue.ts';

const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics in a PromQL expression. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])/g)].map(
    ([, name = '']) => name,
  );
  return [...new Set(names.filter((name) => !keywords.has(name.toLowerCase())))];
}

const ours = new Set(
  catalogue.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => `${name}${ending}`) : [name],
  ),
);

/** Metrics that are neither in the catalogue nor in `others`. */
export function namesOutside(expression: string, others: readonly string[] = []): string[] {
  return metricNames(expression).filter((name) => !ours.has(name) && !others.includes(name));
}
