import type { Kind } from './kinds.ts';

/** The sections of docs/configuration.md, in order. */
export const sections = [
  'Model',
  'Engine',
  'Network',
  'Keys',
  'Admission',
  'Limits',
  'Timeouts',
  'Store',
  'Response cache',
  'Logs',
  'Metrics',
  'Traces',
  'Platform',
] as const;
export type Section = (typeof sections)[number];

/** An environment variable: `corral config` lists it and docs/configuration.md describes it. */
export interface Variable<T = unknown> {
  readonly section: Section;
  readonly kind: Kind<T>;
  /** Undefined if the default is computed at run time; `computedDefault` then describes it. */
  readonly default: T | undefined;
  readonly computedDefault?: string;
  readonly summary: string;
  /** Never printed. `<NAME>_FILE` may name a file that contains the value. */
  readonly secret: boolean;
  /** Often set for all programs of a machine: an invalid value causes a warning and is ignored. */
  readonly shared?: boolean;
}

interface Details {
  readonly computedDefault?: string;
  readonly secret?: boolean;
  readonly shared?: boolean;
}

/** A variable with a fixed default. */
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

/** A variable without a fixed default. */
export function optional<T>(section: Section, kind: Kind<T>, summary: string, details: Details = {}) {
  return { section, kind, default: undefined, summary, secret: false, ...details } as Variable<T> & {
    readonly default: undefined;
  };
}
