/**
 * How a part of a request is handled. supported: it goes to llama-server unchanged · converted: it goes to llama-server in another
 * form, with the same meaning · ignored: it is accepted and changes nothing in the response · dropped: it is removed, and a
 * response header names it · rejected: the response is a 400 with the field, the reason and what to do instead.
 */
export type Support = 'supported' | 'converted' | 'ignored' | 'dropped' | 'rejected';

export interface Row {
  /** Names of the API: fields, types of items, blocks or tools, values. */
  readonly names: readonly string[];
  readonly support: Support;
  readonly details: string;
  /** Requests that are handled like this, without the fields that every request has. */
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

export interface Table {
  readonly title: string;
  readonly note: string;
  readonly rows: readonly Row[];
}

/** `names` are separated by spaces. */
export const row = (
  names: string,
  support: Support,
  details: string,
  ...examples: Row['examples'][number][]
): Row => ({
  names: names.split(' '),
  support,
  details,
  examples,
});
