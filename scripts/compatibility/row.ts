/**
 * What becomes of a part of a request. carried: it goes to llama-server as it came · bridged: it is worded anew and means the
 * same · no effect: it is taken and changes nothing of the answer · told: it is left out, and a header of the answer says
 * so · refused: 400, with the reason and the way out.
 */
export type Support = 'carried' | 'bridged' | 'no effect' | 'told' | 'refused';

export interface Row {
  /** As an API writes them: fields, types of items, blocks or tools, values. */
  readonly names: readonly string[];
  readonly fate: Support;
  readonly how: string;
  /** Requests to which this happens, without what every request has. */
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

export interface Table {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

/** `names` with spaces between them. */
export const row = (
  names: string,
  fate: Support,
  how: string,
  ...examples: Row['examples'][number][]
): Row => ({
  names: names.split(' '),
  fate,
  how,
  examples,
});
