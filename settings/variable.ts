import type { Kind } from './kinds.ts';

/** The chapters of the reference page, in its order. */
export const sections = [
  'Model',
  'Engine',
  'Network',
  'Keys',
  'Admission',
  'Limits',
  'Timeouts',
  'Logs',
  'Metrics',
  'Traces',
  'Platform',
] as const;
export type Section = (typeof sections)[number];

/** One environment variable of ours: what `corral config` lists and the reference page describes. */
export interface Variable<T = unknown> {
  readonly section: Section;
  readonly kind: Kind<T>;
  /** Undefined where the value is found out at run time; `computedDefault` then says how. */
  readonly default: T | undefined;
  readonly computedDefault?: string;
  readonly summary: string;
  /** Never shown; `<NAME>_FILE` names a file that holds the value. */
  readonly secret: boolean;
  /** Others may have set it for all their programs: what does not fit is a warning, and counts as unset. */
  readonly shared?: boolean;
}

interface Details {
  readonly computedDefault?: string;
  readonly secret?: boolean;
  readonly shared?: boolean;
}

/** One that always has a value. */
export function required<T>(
  section: Section,
  kind: Kind<T>,
  value: T,
  summary: string,
  details: Details = {},
) {
  return {
    section,
    kind,
    default: value,
    summary,
    secret: false,
    ...details,
  } satisfies Variable<T> as Variable<T> & {
    readonly default: T;
  };
}

/** One without a fixed default. */
export function optional<T>(section: Section, kind: Kind<T>, summary: string, details: Details = {}) {
  return { section, kind, default: undefined, summary, secret: false, ...details } as Variable<T> & {
    readonly default: undefined;
  };
}
